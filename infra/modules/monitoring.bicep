// Where logs and metrics go. Nobody writes or reads with a key: both resources take Entra tokens only.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@description('Required. How long logs are kept, in days.')
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: 'log-sessions-${token}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-sessions-${token}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
  }
}

module queries 'queries.bicep' = { params: { location: location, tags: tags, workspaceName: workspace.name } }

@description('Log Analytics workspace, resource id.')
output workspaceId string = workspace.id

@description('Application Insights component, name.')
output componentName string = component.name

@description('Where the app sends telemetry. It names the component and, while local auth is off, opens nothing.')
output connectionString string = component.properties.ConnectionString
