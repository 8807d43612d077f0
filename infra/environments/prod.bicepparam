// Production: nothing but the API is reachable from outside, and what is kept is kept in two regions.
using '../main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'prod')
param location = readEnvironmentVariable('AZURE_LOCATION')
param apiAudience = readEnvironmentVariable('API_AUDIENCE')
param appClientId = readEnvironmentVariable('APP_CLIENT_ID')
param onboardingClientId = readEnvironmentVariable('ONBOARDING_CLIENT_ID', '')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL')
param egressCountry = readEnvironmentVariable('EGRESS_COUNTRY', '')
param consoleLocation = readEnvironmentVariable('CONSOLE_LOCATION', '')

param isPrivate = true
param isKept = true
param sessionStorageSku = 'Standard_GZRS'
param maximumInstanceCount = 200
param warmInstances = 2
param logRetentionDays = 365
