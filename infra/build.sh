#!/bin/sh
# Compiles and lints all Bicep, where there is a compiler: `az bicep install` puts one into ~/.azure/bin. Without one it
# says that nothing was compiled, and succeeds: tests/infra have looked at the same files all the same.
set -eu
cd "$(dirname "$0")"

if ! command -v bicep >/dev/null; then
    echo "There is no bicep on the PATH: nothing was compiled." >&2
    exit
fi

bicep --version
for file in main.bicep modules/*.bicep; do
    bicep lint "$file"
done
# What a deployer would export; any client id will do.
export AZURE_LOCATION=westeurope ALERT_EMAIL=on-call@example.com
export API_AUDIENCE=00000000-0000-0000-0000-000000000000 APP_CLIENT_ID=00000000-0000-0000-0000-000000000000
for file in environments/*.bicepparam; do
    bicep build-params "$file" --stdout >/dev/null
    echo "$file builds"
done
