// What the app's identity may do: this, and nothing else.

@description('Required. Object id of the app\'s identity.')
param principalId string

@description('Required. The host\'s storage account.')
param hostStorageName string

@description('Required. The application\'s storage account.')
param sessionStorageName string

@description('Required. Key vault.')
param vaultName string

@description('Required. Application Insights component.')
param componentName string

@description('Required. Queues that the app reads: triggers and their poison twins.')
param readQueues string[]

@description('Required. Queues that the app only writes to.')
param answerQueues string[]

// learn.microsoft.com/azure/role-based-access-control/built-in-roles
var roles = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0b6e12d7b80a'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: hostStorageName }

resource sessionStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: sessionStorageName
  resource queueService 'queueServices' existing = { name: 'default' }
}

resource readQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for each in readQueues: { parent: sessionStorage::queueService, name: each }
]

resource answerQueue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for each in answerQueues: { parent: sessionStorage::queueService, name: each }
]

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = { name: vaultName }

resource component 'Microsoft.Insights/components@2020-02-02' existing = { name: componentName }

// The host keeps its package, its locks and its keys as blobs, and changes containers' leases: that takes Owner.
resource ownHostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(hostStorage.id, principalId, roles.storageBlobDataOwner)
  scope: hostStorage
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// On the account, which holds our three tables and no others: a transaction is sent to the account, not to a table.
resource changeTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(sessionStorage.id, principalId, roles.storageTableDataContributor)
  scope: sessionStorage
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.storageTableDataContributor
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// The host takes messages, hides them for longer, deletes them and moves them to the poison twin. Hiding is an update,
// which the role Message Processor does not allow.
resource readQueuesOfOurs 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, i) in readQueues: {
    name: guid(readQueue[i].id, principalId, roles.storageQueueDataContributor)
    scope: readQueue[i]
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataContributor
      )
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource sendAnswers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, i) in answerQueues: {
    name: guid(answerQueue[i].id, principalId, roles.storageQueueDataMessageSender)
    scope: answerQueue[i]
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataMessageSender
      )
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]

// Officer, not User: the service makes, renews and deletes secrets. Purging is beyond it, by the vault's protection.
resource keepSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

resource publishTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(component.id, principalId, roles.monitoringMetricsPublisher)
  scope: component
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roles.monitoringMetricsPublisher
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
