# Brings the DSC resource $resource with these $options into the state that they describe.

function New-Credential([string]$user, [string]$secret) {
    [Management.Automation.PSCredential]::new($user, [Net.NetworkCredential]::new('', $secret).SecurePassword)
}

# A value as the resource takes it, by the name of its type.
function Convert-Value([string]$type, $value) {
    if ($null -eq $value) { return $null }
    if ($type -match '^(.+)\[\]$') {
        $element = $Matches[1]
        $items = if ($value -is [string] -and $element -notlike 'MSFT_*') { @($value.Split(',') | ForEach-Object { $_.Trim() }) } else { @($value) }
        $converted = @($items | ForEach-Object { Convert-Value $element $_ })
        if ($element -match '^(MSFT_|CimInstance)') { return , [Microsoft.Management.Infrastructure.CimInstance[]]$converted }
        return , ($converted -as "$element[]")
    }
    switch -Regex ($type) {
        '^string$' { return "$value" }
        '^bool(ean)?$' { return "$value" -in 'true', 'yes', 'on', '1', 'y' }
        '^DateTime$' { return [DateTime]::Parse("$value", [Globalization.CultureInfo]::InvariantCulture, 'RoundtripKind') }
        '^HashTable$' { return [hashtable]$value }
        '^(MSFT_|CimInstance)' { return New-CimInstance -ClientOnly -Namespace 'root/Microsoft/Windows/DesiredStateConfiguration' -ClassName $type -Property $value }
    }
    $known = $type -as [type]
    if ($known) { $value -as $known } else { $value }
}

function Find-Resource {
    $all = @(Get-DscResource -Name $resource -ErrorAction SilentlyContinue)
    $fitting = @($all | Where-Object { $version -eq 'latest' -or "$($_.Version)" -eq $version })
    if (-not $all) { throw "Resource '$resource' not found." }
    if (-not $fitting) { throw "Resource '$resource' with version '$version' not found. Versions installed: $(@($all | ForEach-Object { "$($_.Version)" }) -join ', ')." }
    $fitting | Sort-Object -Property Version -Descending | Select-Object -First 1
}

# What the resource is asked for, by names of its properties.
function Read-Options($found) {
    $given, $used = @{}, @()
    foreach ($property in $found.Properties) {
        $name, $type = $property.Name, ("$($property.PropertyType)" -replace '^\[(.*)\]$', '$1')
        if ($type -eq 'PSCredential') {
            $used += "${name}_username", "${name}_password"
            if ($null -ne $options["${name}_username"]) { $given[$name] = New-Credential $options["${name}_username"] $options["${name}_password"] }
        }
        elseif ($options.ContainsKey($name)) {
            $used += $name
            if ($property.Values -and @($options[$name] | Where-Object { "$_" -notin $property.Values })) { throw "value of $name must be one of: $($property.Values -join ', '). Got: $($options[$name])" }
            $given[$name] = Convert-Value $type $options[$name]
            if ($null -eq $given[$name] -and $null -ne $options[$name]) { throw "value of $name can't be converted to ${type}: $($options[$name])" }
        }
        if ($property.IsMandatory -and -not $given.ContainsKey($name)) { throw "missing required arguments: $name" }
    }
    $unknown = @($options.Keys | Where-Object { $_ -notin $used })
    if ($unknown) { throw "Unsupported arguments of the resource ${resource}: $($unknown -join ', '). It has: $(@($found.Properties | ForEach-Object { $_.Name }) -join ', ')" }
    $given
}

$answer.changed = $false
$answer.reboot_required = $false
if (-not (Get-Command Invoke-DscResource -ErrorAction SilentlyContinue)) { throw 'This host has no Invoke-DscResource, which comes with PowerShell 5.1' }
$found = Find-Resource
$answer.module_version = "$($found.Version)"
$module = if ($found.ModuleName) { $found.ModuleName } else { 'PSDesiredStateConfiguration' }
$asked = @{ Name = $resource; Property = Read-Options $found }
$asked.ModuleName = if ($found.Version) { @{ ModuleName = $module; ModuleVersion = "$($found.Version)" } } else { $module }
if ((Invoke-DscResource @asked -Method Test).InDesiredState) { return }
Change { if ((Invoke-DscResource @asked -Method Set).RebootRequired) { $answer.reboot_required = $true } }
