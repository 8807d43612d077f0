// Everything the service runs on, in one resource group. docs/operations.md tells how to deploy it.
targetScope = 'subscription'

import { executor } from 'modules/executors.bicep'

@minLength(36)
@maxLength(36)
type guid = string

// ── Parameters ───────────────────────────────────────────────────────────────────────────────────────────────────────

@minLength(2)
@maxLength(20)
@description('Required. Name of the environment, e.g. dev or prod; part of the resource group\'s name.')
param environmentName string

@description('Required. Azure region; it must offer the Flex Consumption plan and availability zones.')
param location string

@description('Required. Client id of the app registration that callers ask tokens for (infra/entra/register.py).')
param apiAudience guid

@description('Required. Client id of the app registration that tenants consent to (infra/entra/register.py).')
param appClientId guid

@description('Optional. Client id of a second one, for making and removing accounts, so that it can be switched off.')
param onboardingClientId string = ''

@description('Required. Where alerts are mailed to.')
param alertEmail string

@description('Optional. The vendor\'s own tenant, whose users and applications call the API.')
param homeTenantId guid = tenant().tenantId

@description('Optional. A network with static egress addresses, and no public way to storage and secrets.')
param isPrivate bool = true

@description('Optional. Locks the session storage and the vault against deletion.')
param isKept bool = true

@allowed(['3.11', '3.12', '3.13'])
@description('Optional. Python version of the app; the package must be built with the same one.')
param pythonVersion string = '3.13'

@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
@description('Optional. Redundancy of the session storage. Tables have no undelete: copies are all there is.')
param sessionStorageSku string = 'Standard_ZRS'

@minValue(40)
@maxValue(1000)
@description('Optional. The most instances that the app, all functions together, may scale to.')
param maximumInstanceCount int = 100

@allowed([512, 2048, 4096])
@description('Optional. Memory of an instance, in MB.')
param instanceMemoryMB int = 2048

@minValue(0)
@description('Optional. Instances kept warm for HTTP: executors wait for their tokens. 0 keeps none and costs nothing.')
param warmInstances int = 0

@description('Optional. NCRONTAB schedule of upkeep.')
param upkeepSchedule string = '0 * * * * *'

@minValue(1)
@maxValue(300)
@description('Optional. How long a worker may be silent before upkeep gives its operation to another, in seconds.')
param stuckAfterSeconds int = 120

@minValue(30)
@maxValue(3650)
@description('Optional. How long what has ended is kept in the tables, in days: trail, operations, actions, keys, kept messages.')
param retentionDays int = 400

@description('Optional. CIDR ranges, besides our own egress range, that executors use tokens from.')
param executorRanges string[] = []

@maxLength(2)
@description('Optional. Country of those addresses, two letters (ISO 3166-1); policies may ask for it.')
param egressCountry string = ''

@description('Optional. Executors\' identities: who may ask for actions, and read the answers of which kind.')
param executors executor[] = []

@allowed(['', 'centralus', 'eastasia', 'eastus2', 'westeurope', 'westus2'])
@description('Optional. Region of the web console, one that has static web apps; empty: no console is deployed.')
param consoleLocation string = ''

@description('Optional. Origins of other consoles that may call the API, e.g. https://console.example.com.')
param consoleOrigins string[] = []

@description('Optional. Where Entra sends an administrator after consent; a redirect URI of the app registration.')
param consentRedirectUri string = ''

@minValue(30)
@maxValue(730)
@description('Optional. How long logs are kept, in days.')
param logRetentionDays int = 90

@description('Optional. Let the host speak OpenTelemetry. The Python worker loads nothing for it.')
param isOpenTelemetry bool = false

// Another cloud is a matter of these two; Azure's own addresses come from environment().

@description('Optional. Microsoft Entra of the cloud that the tenants are in.')
param entraAuthorityHost string = environment().authentication.loginEndpoint

@description('Optional. Settings of that cloud in place of the worldwide one\'s, e.g. { GRAPH_ENDPOINT: … }.')
param cloudSettings object = {}

// ── Variables ────────────────────────────────────────────────────────────────────────────────────────────────────────

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

var isNationalCloud = environment().name != 'AzureCloud' // where the host must be given addresses in place of names

var tables = ['Tenants', 'TenantIndex', 'Due']
// The app reads these and their poison twins, and only writes to the answers.
var readQueues = ['operations', 'action-requests', 'action-completions']
var poisonQueues = [for name in readQueues: '${name}-poison']
var answerQueues = [
  'action-results-playbook-remediation'
  'action-results-management-action'
  'action-results-custom-action'
  'action-results-workflow'
]

// ── Resources ────────────────────────────────────────────────────────────────────────────────────────────────────────

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-management-sessions-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { location: location, tags: tags, token: token, retentionDays: logRetentionDays }
}

// The host's own: deployment package, locks, keys. The other holds what is ours: sessions, operations, messages.
module hostStorage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'sthost${token}'
    sku: 'Standard_ZRS'
    isPublic: !isPrivate
    isLocked: false
    containers: ['packages']
    workspaceId: monitoring.outputs.workspaceId
  }
}

module sessionStorage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    name: 'stsession${token}'
    sku: sessionStorageSku
    isPublic: !isPrivate
    isLocked: isKept
    tables: tables
    queues: concat(readQueues, poisonQueues, answerQueues)
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    isPublic: !isPrivate
    isLocked: isKept
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    hostStorageId: hostStorage.outputs.id
    sessionStorageId: sessionStorage.outputs.id
    vaultId: vault.outputs.id
  }
}

module access 'modules/access.bicep' = {
  scope: group
  params: {
    principalId: identity.outputs.principalId
    hostStorageName: hostStorage.outputs.name
    sessionStorageName: sessionStorage.outputs.name
    vaultName: vault.outputs.name
    componentName: monitoring.outputs.componentName
    readQueues: concat(readQueues, poisonQueues)
    answerQueues: answerQueues
  }
}

module executorAccess 'modules/executors.bicep' = if (!empty(executors)) {
  scope: group
  params: { executors: executors, sessionStorageName: sessionStorage.outputs.name }
}

module consoleSite 'modules/consoleSite.bicep' = if (!empty(consoleLocation)) {
  scope: group
  params: { location: consoleLocation, tags: tags, token: token, plan: isPrivate ? 'Standard' : 'Free' }
}

module app 'modules/functionApp.bicep' = {
  scope: group
  params: {
    location: location
    tags: union(tags, { 'azd-service-name': 'api' })
    token: token
    pythonVersion: pythonVersion
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    warmInstances: warmInstances
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorageName: hostStorage.outputs.name
    packageContainer: 'packages'
    subnetId: isPrivate ? network!.outputs.appSubnetId : ''
    consoleOrigins: concat(empty(consoleLocation) ? [] : [consoleSite!.outputs.url], consoleOrigins)
    isOpenTelemetry: isOpenTelemetry
    connectionString: monitoring.outputs.connectionString
    settings: union(isNationalCloud ? { SessionStorage__queueServiceUri: sessionStorage.outputs.queueUrl } : {}, {
      SessionStorage__accountName: sessionStorage.outputs.name
      SessionStorage__credential: 'managedidentity'
      SessionStorage__clientId: identity.outputs.clientId
      STORAGE_ENDPOINT_SUFFIX: environment().suffixes.storage
      KEY_VAULT_URL: vault.outputs.url
      ENTRA_AUTHORITY_HOST: entraAuthorityHost
      GRAPH_ENDPOINT: 'https://graph.microsoft.com'
      APP_CLIENT_ID: appClientId
      ONBOARDING_CLIENT_ID: onboardingClientId
      AZURE_CLIENT_ID: identity.outputs.clientId
      API_AUDIENCE: apiAudience
      API_ISSUER: uri(entraAuthorityHost, '${homeTenantId}/v2.0')
      EGRESS_IPS: join(concat(isPrivate ? [network!.outputs.egressRange] : [], executorRanges), ',')
      EGRESS_COUNTRY: egressCountry
      CONSENT_REDIRECT_URI: consentRedirectUri
      EXCHANGE_RESOURCE: 'https://outlook.office365.com'
      SHAREPOINT_RESOURCE: 'https://{name}-admin.sharepoint.com'
      TEAMS_RESOURCE: '48ac35b8-9aa8-4d74-927d-1f4a14a0b239'
      COMPLIANCE_RESOURCE: 'https://ps.compliance.protection.outlook.com'
      TOKEN_EXCHANGE_AUDIENCE: 'api://AzureADTokenExchange'
      STUCK_AFTER_SECONDS: string(stuckAfterSeconds)
      RETENTION_DAYS: string(retentionDays)
      UPKEEP_SCHEDULE: upkeepSchedule
    }, cloudSettings)
  }
  dependsOn: [access]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    email: alertEmail
    workspaceId: monitoring.outputs.workspaceId
    vaultId: vault.outputs.id
    identityClientId: identity.outputs.clientId
  }
}

// ── Outputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────

@description('Where the API is.')
output SERVICE_API_URI string = app.outputs.url

@description('The function app, to publish the package to.')
output AZURE_FUNCTION_NAME string = app.outputs.name

@description('The resource group that holds everything.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Where the console is; empty: there is none.')
output CONSOLE_URL string = empty(consoleLocation) ? '' : consoleSite!.outputs.url

@description('The console\'s static web app, to publish it to; empty: there is none.')
output CONSOLE_NAME string = empty(consoleLocation) ? '' : consoleSite!.outputs.name

@description('Object id of the app\'s identity, which the app registration must trust.')
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId

@description('What the app\'s sign-ins come from, for the tenants\' allowed addresses; empty without a network.')
output EGRESS_RANGE string = isPrivate ? network!.outputs.egressRange : ''
