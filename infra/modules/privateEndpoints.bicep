// The only way to storage and secrets when public access is off: an address inside the network for each, found by name.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@description('Required. Virtual network that looks the names up.')
param networkId string

@description('Required. Subnet that the endpoints get their addresses from.')
param subnetId string

@description('Required. The host\'s storage account.')
param hostStorageId string

@description('Required. The application\'s storage account.')
param sessionStorageId string

@description('Required. Key vault.')
param vaultId string

// Of each account only what is used: the host keeps blobs, the application tables and queues.
var endpoints = [
  { group: 'blob', target: hostStorageId, zone: 'privatelink.blob.${environment().suffixes.storage}' }
  { group: 'table', target: sessionStorageId, zone: 'privatelink.table.${environment().suffixes.storage}' }
  { group: 'queue', target: sessionStorageId, zone: 'privatelink.queue.${environment().suffixes.storage}' }
  {
    group: 'vault'
    target: vaultId
    zone: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  }
]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for each in endpoints: { name: each.zone, location: 'global', tags: tags }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (each, i) in endpoints: {
    parent: zone[i]
    name: 'link-${token}'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: networkId } }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = [
  for each in endpoints: {
    name: 'pe-${each.group}-${token}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        { name: each.group, properties: { privateLinkServiceId: each.target, groupIds: [each.group] } }
      ]
    }
  }
]

resource record 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = [
  for (each, i) in endpoints: {
    parent: endpoint[i]
    name: 'default'
    properties: { privateDnsZoneConfigs: [{ name: each.group, properties: { privateDnsZoneId: zone[i].id } }] }
  }
]
