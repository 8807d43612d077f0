// A storage account that takes Entra tokens only, with its containers, tables and queues.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@minLength(3)
@maxLength(24)
@description('Required. Name of the account.')
param name string

@description('Required. Redundancy.')
param sku string

@description('Required. Whether it can be reached from outside the virtual network.')
param isPublic bool

@description('Required. Whether it is locked against deletion.')
param isLocked bool

@description('Optional. Blob containers.')
param containers string[] = []

@description('Optional. Tables.')
param tables string[] = []

@description('Optional. Queues.')
param queues string[] = []

@description('Required. Log Analytics workspace that metrics go to.')
param workspaceId string

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    allowedCopyScope: 'AAD'
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    networkAcls: { bypass: 'None', defaultAction: isPublic ? 'Allow' : 'Deny' }
  }

  resource blobService 'blobServices' = {
    name: 'default'
    properties: {
      deleteRetentionPolicy: { enabled: true, days: 14 }
      containerDeleteRetentionPolicy: { enabled: true, days: 14 }
    }
    resource container 'containers' = [for each in containers: { name: each, properties: { publicAccess: 'None' } }]
  }

  resource tableService 'tableServices' = {
    name: 'default'
    resource table 'tables' = [for each in tables: { name: each }]
  }

  resource queueService 'queueServices' = {
    name: 'default'
    resource queue 'queues' = [for each in queues: { name: each }]
  }
}

// Throttling and latency show in these. Logs of single requests would cost more than the requests.
resource tableMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'metrics'
  scope: account::tableService
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource queueMetrics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'metrics'
  scope: account::queueService
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (isLocked) {
  name: 'keep'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Deleted tables cannot be brought back.' }
}

@description('Resource id.')
output id string = account.id

@description('Name.')
output name string = account.name

@description('Address of its queues.')
output queueUrl string = account.properties.primaryEndpoints.queue
