// What wakes somebody up. docs/operations.md says for each alert what it means and what to do first.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@description('Required. Where alerts are mailed to.')
param email string

@description('Required. Log Analytics workspace.')
param workspaceId string

@description('Required. Key vault.')
param vaultId string

@description('Required. Client id of the app\'s identity, the only one that should read secrets.')
param identityClientId string

var events = loadTextContent('../queries/events.kql')

// One row for each thing to look at: an alert fires when there are more than `most` of them. Of upkeep it fires when
// there are none.
var rules = [
  {
    name: 'message-poisoned'
    title: 'A message was given up on'
    severity: 1
    window: 'PT15M'
    most: 0
    query: '''
      union
        (AppTraces | where Message has "Moving message to queue" | project TimeGenerated),
        (Events | where event == "messagePoisoned" | project TimeGenerated)
    '''
  }
  {
    name: 'all-sessions-stopped'
    title: 'Somebody pulled the emergency stop'
    severity: 1
    window: 'PT5M'
    most: 0
    query: 'Events | where event in ("emergencyStop", "emergencyStopFailed")'
  }
  {
    name: 'not-configured'
    title: 'A setting is missing or wrong'
    severity: 1
    window: 'PT5M'
    most: 0
    query: 'Events | where event == "settingInvalid"'
  }
  {
    name: 'secret-touched-by-another'
    title: 'Somebody other than the app touched a secret'
    severity: 1
    window: 'PT5M'
    most: 0
    query: '''
      AZKVAuditLogs
      | where OperationName startswith "Secret" and tostring(Identity.claim.appid) != "{app}"
    '''
  }
  {
    name: 'error-unforeseen'
    title: 'Something failed in a way nobody foresaw'
    severity: 2
    window: 'PT15M'
    most: 0
    query: 'Events | where event in ("requestFailed", "lastResortFailed", "upkeepFailed")'
  }
  {
    name: 'messages-failing'
    title: 'Messages fail and are delivered again'
    severity: 2
    window: 'PT15M'
    most: 50
    query: 'Events | where event == "messageFailed"'
  }
  {
    name: 'operation-stuck'
    title: 'An operation was resent three times, or ran out of time'
    severity: 2
    window: 'PT30M'
    most: 0
    query: '''
      Events
      | where event == "operationResent" or code == "operationTimedOut"
      | summarize resent = countif(event == "operationResent"), timedOut = countif(code == "operationTimedOut")
          by operation
      | where resent >= 3 or timedOut > 0
    '''
  }
  {
    name: 'rotation-failing'
    title: 'A service account\'s password is past its date'
    severity: 2
    window: 'P2D'
    most: 0
    query: 'Events | where event == "rotationFailed" | summarize times = count() by tenant | where times >= 2'
  }
  {
    name: 'policy-regressed'
    title: 'A policy check that passed now finds something in the way'
    severity: 3
    window: 'P2D'
    most: 0
    query: '''
      Events
      | where event == "policyCheckEnded"
      | extend state = tostring(line.state)
      | summarize latest = arg_max(TimeGenerated, state), passed = countif(state == "pass") by tenant
      | where state == "fail" and passed > 0
    '''
  }
  {
    name: 'tenants-blocked'
    title: 'Tenants\' policies, consent or roles keep sessions from turning on'
    severity: 3
    window: 'PT1H'
    most: 0
    query: '''
      Events
      | where event == "sessionFailed"
      | where code in ("signInBlocked", "consentMissing", "permissionMissing", "roleMissing")
      | distinct tenant
    '''
  }
]

resource onCall 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-sessions-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'sessions'
    enabled: true
    emailReceivers: [{ name: 'on-call', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for each in rules: {
    name: 'alert-${each.name}-${token}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: each.title
      description: 'docs/operations.md, "Alerts", ${each.name}'
      severity: each.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: each.window == 'P2D' ? 'PT1H' : 'PT5M'
      windowSize: each.window
      autoMitigate: false
      criteria: {
        allOf: [
          {
            query: '${events}\n${replace(each.query, '{app}', identityClientId)}'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: each.most
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [onCall.id] }
    }
  }
]

resource upkeepSilent 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'alert-upkeep-silent-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Upkeep has not run for 15 minutes'
    description: 'docs/operations.md, "Alerts", upkeep-silent'
    severity: 1
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: '${events}\nEvents | where event == "upkeepDone"'
          timeAggregation: 'Count'
          operator: 'LessThan'
          threshold: 1
          failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
        }
      ]
    }
    actions: { actionGroups: [onCall.id] }
  }
}

resource vaultSaturated 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-vault-saturated-${token}'
  location: 'global'
  tags: tags
  properties: {
    description: 'docs/operations.md, "Alerts", vault-saturated'
    severity: 2
    enabled: true
    scopes: [vaultId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'saturation'
          metricNamespace: 'Microsoft.KeyVault/vaults'
          metricName: 'SaturationShoebox'
          operator: 'GreaterThan'
          threshold: 75
          timeAggregation: 'Average'
        }
      ]
    }
    actions: [{ actionGroupId: onCall.id }]
  }
}
