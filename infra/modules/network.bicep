// The app's way out, by addresses that never change, and its only way to storage and secrets, by private endpoints.

@description('Required. Azure region.')
param location string

@description('Required. Tags of every resource.')
param tags object

@description('Required. What makes names unique.')
param token string

@description('Required. The host\'s storage account.')
param hostStorageId string

@description('Required. The application\'s storage account.')
param sessionStorageId string

@description('Required. Key vault.')
param vaultId string

// Tenants allow these two addresses. Being a prefix they stay neighbours, and one CIDR range names both.
resource egress 'Microsoft.Network/publicIPPrefixes@2025-05-01' = {
  name: 'ippre-sessions-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard', tier: 'Regional' }
  properties: { prefixLength: 31, publicIPAddressVersion: 'IPv4' }
}

resource gateway 'Microsoft.Network/natGateways@2025-05-01' = {
  name: 'ng-sessions-${token}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { idleTimeoutInMinutes: 4, publicIpPrefixes: [{ id: egress.id }] }
}

resource endpointRules 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-endpoints-${token}'
  location: location
  tags: tags
  properties: {
    securityRules: [
      {
        name: 'https-from-the-network'
        properties: {
          priority: 100
          direction: 'Inbound'
          access: 'Allow'
          protocol: 'Tcp'
          sourceAddressPrefix: 'VirtualNetwork'
          sourcePortRange: '*'
          destinationAddressPrefix: 'VirtualNetwork'
          destinationPortRange: '443'
        }
      }
      {
        name: 'nothing-else'
        properties: {
          priority: 4000
          direction: 'Inbound'
          access: 'Deny'
          protocol: '*'
          sourceAddressPrefix: '*'
          sourcePortRange: '*'
          destinationAddressPrefix: '*'
          destinationPortRange: '*'
        }
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-sessions-${token}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.60.0.0/24'] }
  }

  // Flex Consumption takes a subnet of its own, /27 or larger, delegated as Container Apps' are.
  resource app 'subnets' = {
    name: 'app'
    properties: {
      addressPrefix: '10.60.0.0/26'
      defaultOutboundAccess: false
      natGateway: { id: gateway.id }
      delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
    }
  }

  resource endpoints 'subnets' = {
    name: 'endpoints'
    properties: {
      addressPrefix: '10.60.0.64/27'
      defaultOutboundAccess: false
      privateEndpointNetworkPolicies: 'NetworkSecurityGroupEnabled'
      networkSecurityGroup: { id: endpointRules.id }
    }
    dependsOn: [app] // subnets of one network are written one after the other
  }
}

module privateEndpoints 'privateEndpoints.bicep' = {
  params: {
    location: location
    tags: tags
    token: token
    networkId: network.id
    subnetId: network::endpoints.id
    hostStorageId: hostStorageId
    sessionStorageId: sessionStorageId
    vaultId: vaultId
  }
}

@description('Subnet of the app, resource id.')
output appSubnetId string = network::app.id

@description('What the app comes from, as one CIDR range.')
output egressRange string = egress.properties.ipPrefix
