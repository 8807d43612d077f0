#!/bin/sh
# Builds the console and publishes it to its static web app. Whoever runs it is signed in to the Azure CLI, and has set
# what the deployment and the registrations told: AZURE_RESOURCE_GROUP, CONSOLE_NAME, SERVICE_API_URI, API_AUDIENCE and
# CONSOLE_CLIENT_ID.
set -eu
cd "$(dirname "$0")/.."

make console
authority=$(az cloud show --query endpoints.activeDirectory --output tsv)
tenant=$(az account show --query tenantId --output tsv)
site=$(python3 infra/console_site.py --api "$SERVICE_API_URI" --authority "${authority%/}/$tenant" \
    --client-id "$CONSOLE_CLIENT_ID" --audience "$API_AUDIENCE")
# In the environment, not on a command line, which others on this machine could read.
SWA_CLI_DEPLOYMENT_TOKEN=$(az staticwebapp secrets list --resource-group "$AZURE_RESOURCE_GROUP" \
    --name "$CONSOLE_NAME" --query properties.apiKey --output tsv)
export SWA_CLI_DEPLOYMENT_TOKEN
npx --yes @azure/static-web-apps-cli@2.0.10 deploy "$site" --env production
