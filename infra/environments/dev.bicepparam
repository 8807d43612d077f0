// Development: the same service without a network of its own, so it costs little while nobody uses it. Tenants cannot
// allow its addresses, which change.
using '../main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'dev')
param location = readEnvironmentVariable('AZURE_LOCATION')
param apiAudience = readEnvironmentVariable('API_AUDIENCE')
param appClientId = readEnvironmentVariable('APP_CLIENT_ID')
param onboardingClientId = readEnvironmentVariable('ONBOARDING_CLIENT_ID', '')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')
param consoleLocation = readEnvironmentVariable('CONSOLE_LOCATION', '')

param isPrivate = false
param isKept = false
param sessionStorageSku = 'Standard_LRS'
param maximumInstanceCount = 40
param logRetentionDays = 30
