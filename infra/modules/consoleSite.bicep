// Where the web console lies: static files, sent with the headers of their staticwebapp.config.json.
// Not a storage account's static website: that sends no header of ours, so no Content-Security-Policy.

@description('Required. Azure region; the files themselves are kept near to whoever asks for them.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@allowed(['Free', 'Standard'])
@description('Required. Plan; Standard comes with a service level agreement.')
param plan string

resource site 'Microsoft.Web/staticSites@2025-03-01' = {
  name: 'stapp-sessions-${token}'
  location: location
  tags: tags
  sku: { name: plan, tier: plan }
  properties: {
    allowConfigFileUpdates: true
    // One site, and no second one for each pull request: only the first one's origin may call the API.
    stagingEnvironmentPolicy: 'Disabled'
  }
}

@description('Name, to publish to.')
output name string = site.name

@description('Where the console is.')
output url string = 'https://${site.properties.defaultHostname}'
