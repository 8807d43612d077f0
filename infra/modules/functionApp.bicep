// The function app on Flex Consumption: opened by tokens, deployed by identity, configured by what is passed in.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@description('Required. Python version, e.g. 3.13.')
param pythonVersion string

@description('Required. The most instances.')
param maximumInstanceCount int

@description('Required. Memory of an instance, in MB.')
param instanceMemoryMB int

@description('Required. Instances kept warm for HTTP.')
param warmInstances int

@description('Required. The app\'s identity, resource id.')
param identityId string

@description('Required. The app\'s identity, client id.')
param identityClientId string

@description('Required. The host\'s storage account.')
param hostStorageName string

@description('Required. Blob container that packages are published to.')
param packageContainer string

@description('Required. Subnet that all outgoing traffic takes; empty: none.')
param subnetId string

@description('Required. Origins of web consoles.')
param consoleOrigins string[]

@description('Required. Whether the host speaks OpenTelemetry.')
param isOpenTelemetry bool

@description('Required. Where telemetry goes.')
param connectionString string

@description('Required. The app\'s own settings.')
param settings object

// Invocations at once on one instance. Threads are as many, so that none waits for another; queues take fewer.
var concurrency = 16

resource hostStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = { name: hostStorageName }

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-sessions-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource site 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-sessions-${token}'
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    outboundVnetRouting: { allTraffic: !empty(subnetId) }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      remoteDebuggingEnabled: false
      cors: { allowedOrigins: consoleOrigins, supportCredentials: false }
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstanceCount
        instanceMemoryMB: instanceMemoryMB
        alwaysReady: warmInstances > 0 ? [{ name: 'http', instanceCount: warmInstances }] : []
        triggers: { http: { perInstanceConcurrency: concurrency } }
      }
    }
  }

  resource noFtp 'basicPublishingCredentialsPolicies' = { name: 'ftp', properties: { allow: false } }
  resource noPassword 'basicPublishingCredentialsPolicies' = { name: 'scm', properties: { allow: false } }

  resource appSettings 'config' = {
    name: 'appsettings'
    properties: union(
      settings,
      {
        // All three: with a user-assigned identity the account's name alone deploys well and never starts.
        AzureWebJobsStorage__accountName: hostStorage.name
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identityClientId
        AzureWebJobsDisableHomepage: 'true'
        APPLICATIONINSIGHTS_CONNECTION_STRING: connectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
        PYTHON_THREADPOOL_THREAD_COUNT: string(concurrency)
      },
      environment().name == 'AzureCloud'
        ? {}
        : { AzureWebJobsStorage__blobServiceUri: hostStorage.properties.primaryEndpoints.blob },
      isOpenTelemetry ? { AzureFunctionsJobHost__telemetryMode: 'OpenTelemetry' } : {}
    )
  }
}

@description('Name.')
output name string = site.name

@description('Where the API is.')
output url string = 'https://${site.properties.defaultHostName}/api'
