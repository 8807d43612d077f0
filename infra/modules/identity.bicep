// Who the app is: one identity for storage, secrets and telemetry; the app registration trusts it in place of a secret.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-sessions-${token}'
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id

@description('Client id, for those who ask for its tokens.')
output clientId string = identity.properties.clientId

@description('Object id, for those who give it rights.')
output principalId string = identity.properties.principalId
