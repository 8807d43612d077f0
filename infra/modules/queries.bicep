// The questions that on-call asks, as saved queries of the workspace and as one workbook.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. Log Analytics workspace.')
param workspaceName string

var events = loadTextContent('../queries/events.kql')
var queries = [
  {
    name: 'why-off'
    title: 'Why is this tenant off?'
    text: loadTextContent('../queries/why-off.kql')
  }
  {
    name: 'who-turned-on'
    title: 'Who turned it on?'
    text: loadTextContent('../queries/who-turned-on.kql')
  }
  {
    name: 'stuck-operations'
    title: 'What is stuck?'
    text: loadTextContent('../queries/stuck-operations.kql')
  }
  {
    name: 'blocked-tenants'
    title: 'What keeps how many tenants from turning on?'
    text: loadTextContent('../queries/blocked-tenants.kql')
  }
  {
    name: 'blocking-policies'
    title: 'Which policies block how many tenants?'
    text: loadTextContent('../queries/blocking-policies.kql')
  }
  {
    name: 'turn-on-times'
    title: 'How long do turn-ons take?'
    text: loadTextContent('../queries/turn-on-times.kql')
  }
  {
    name: 'follow-request'
    title: 'What came of this request?'
    text: loadTextContent('../queries/follow-request.kql')
  }
  {
    name: 'refused-requests'
    title: 'Who is refused, and why?'
    text: loadTextContent('../queries/refused-requests.kql')
  }
  {
    name: 'refused-messages'
    title: 'Which messages were refused, failed or poisoned?'
    text: loadTextContent('../queries/refused-messages.kql')
  }
  {
    name: 'upkeep'
    title: 'Does upkeep keep up?'
    text: loadTextContent('../queries/upkeep.kql')
  }
  {
    name: 'rotations'
    title: 'Whose password could not be rotated?'
    text: loadTextContent('../queries/rotations.kql')
  }
  {
    name: 'outside'
    title: 'What of the outside is unwell?'
    text: loadTextContent('../queries/outside.kql')
  }
]

// Where a query wants a tenant or a correlation id, the workbook puts what was entered above.
var unfilled = 'let wanted = "";'
var filled = { 'follow-request': 'let wanted = "{Correlation}";' }
var byTenant = 'let wanted = "{Tenant}";'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: workspaceName

  resource search 'savedSearches' = [
    for each in queries: {
      name: 'sessions-${each.name}'
      properties: {
        category: 'Management sessions'
        displayName: each.title
        query: '${events}\n${each.text}'
        version: 2
      }
    }
  ]
}

var parameters = {
  type: 9
  name: 'parameters'
  content: {
    version: 'KqlParameterItem/1.0'
    style: 'pills'
    queryType: 0
    resourceType: 'microsoft.operationalinsights/workspaces'
    parameters: [
      {
        id: guid('TimeRange')
        version: 'KqlParameterItem/1.0'
        name: 'TimeRange'
        label: 'Time'
        type: 4
        isRequired: true
        value: { durationMs: 86400000 }
        typeSettings: {
          selectableValues: [{ durationMs: 3600000 }, { durationMs: 86400000 }, { durationMs: 604800000 }]
          allowCustom: true
        }
      }
      {
        id: guid('Tenant')
        version: 'KqlParameterItem/1.0'
        name: 'Tenant'
        label: 'Tenant id'
        type: 1
        value: ''
      }
      {
        id: guid('Correlation')
        version: 'KqlParameterItem/1.0'
        name: 'Correlation'
        label: 'Correlation id'
        type: 1
        value: ''
      }
    ]
  }
}

var answers = [
  for each in queries: {
    type: 3
    name: each.name
    content: {
      version: 'KqlItem/1.0'
      title: each.title
      query: '${events}\n${replace(each.text, unfilled, filled[?each.name] ?? byTenant)}'
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      timeContextFromParameter: 'TimeRange'
      visualization: contains(['turn-on-times', 'upkeep'], each.name) ? 'timechart' : 'table'
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspace.id, 'management-sessions')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Management sessions'
    category: 'workbook'
    sourceId: workspace.id
    serializedData: string({
      version: 'Notebook/1.0'
      items: concat([parameters], answers)
      fallbackResourceIds: [workspace.id]
    })
  }
}
