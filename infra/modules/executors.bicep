// What executors may do: ask for actions, say that they are done, and read the answers of their own kind.

@export()
@description('An executor\'s identity, and the kind of action it carries out.')
type executor = {
  @description('Object id of its service principal or managed identity.')
  principalId: string

  @description('The kind whose answers it may read; list the identity once for each.')
  kind: 'playbook-remediation' | 'management-action' | 'custom-action' | 'workflow'
}

@description('Required. The executors.')
param executors executor[]

@description('Required. The application\'s storage account.')
param sessionStorageName string

var roles = {
  storageQueueDataMessageProcessor: '8a0f0c08-91a1-4084-bc3d-661d67233fed'
  storageQueueDataMessageSender: 'c6a89b2d-59bc-44d0-9896-0b6e12d7b80a'
}
var principals = union(map(executors, each => each.principalId), [])

resource sessionStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: sessionStorageName
  resource queueService 'queueServices' existing = {
    name: 'default'
    resource requests 'queues' existing = { name: 'action-requests' }
    resource completions 'queues' existing = { name: 'action-completions' }
  }
}

resource answers 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-06-01' existing = [
  for each in executors: { parent: sessionStorage::queueService, name: 'action-results-${each.kind}' }
]

resource ask 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in principals: {
    name: guid(sessionStorage::queueService::requests.id, each, roles.storageQueueDataMessageSender)
    scope: sessionStorage::queueService::requests
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataMessageSender
      )
      principalId: each
      principalType: 'ServicePrincipal'
    }
  }
]

resource complete 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for each in principals: {
    name: guid(sessionStorage::queueService::completions.id, each, roles.storageQueueDataMessageSender)
    scope: sessionStorage::queueService::completions
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataMessageSender
      )
      principalId: each
      principalType: 'ServicePrincipal'
    }
  }
]

resource readAnswers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (each, i) in executors: {
    name: guid(answers[i].id, each.principalId, roles.storageQueueDataMessageProcessor)
    scope: answers[i]
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roles.storageQueueDataMessageProcessor
      )
      principalId: each.principalId
      principalType: 'ServicePrincipal'
    }
  }
]
