# The module PSDesiredStateConfiguration: Get-DscResource, Invoke-DscResource.
function Reset-Dsc { [AppDomain]::CurrentDomain.SetData('Dsc', @{ state = @{}; types = @{} }) }

function New-Property($Name, $PropertyType, $IsMandatory = $false, $Values = @()) { [pscustomobject]@{ Name = $Name; PropertyType = $PropertyType; IsMandatory = $IsMandatory; Values = [Collections.Generic.List[string]][string[]]$Values } }

function Get-DscResource {
    [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [object]$Module, [switch]$Syntax)
    if ($Name -ne 'Thing') { Write-Error "Failed to load the resource '$Name'. Unable to find it"; return }
    $properties = @(
        New-Property 'Key' '[string]' $true
        New-Property 'Ensure' '[string]' $false @('Absent', 'Present')
        New-Property 'Count' '[UInt16]'
        New-Property 'Enabled' '[bool]'
        New-Property 'Names' '[string[]]'
        New-Property 'When' '[DateTime]'
        New-Property 'Map' '[HashTable]'
        New-Property 'PsDscRunAsCredential' '[PSCredential]'
    )
    foreach ($version in '1.9.0', '1.10.0') { [pscustomobject]@{ Name = 'Thing'; ModuleName = 'ThingDsc'; Version = [version]$version; ImplementedAs = 'PowerShell'; Properties = $properties } }
}

function Invoke-DscResource {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string]$Name, [Parameter(Mandatory)][ValidateSet('Get', 'Set', 'Test')][string]$Method, [Parameter(Mandatory)][hashtable]$Property, [Parameter(Mandatory)]$ModuleName)
    $dsc = [AppDomain]::CurrentDomain.GetData('Dsc')
    $flat = @($Property.Keys | Sort-Object | ForEach-Object {
            $value = $Property[$_]
            $text = switch ($value.GetType().Name) { 'PSCredential' { "$($value.UserName):$($value.GetNetworkCredential().Password)" } 'Hashtable' { @($value.Keys | Sort-Object | ForEach-Object { "$_=$($value[$_])" }) -join ';' } 'DateTime' { $value.ToUniversalTime().ToString('s') } default { $value -join ';' } }
            "$_($($value.GetType().Name))=$text"
        }) -join ' '
    if ($Property.Key -eq 'broken') { throw 'PowerShell DSC resource Thing failed to execute Set-TargetResource functionality with error message: it is broken' }
    if ($Method -eq 'Test') { return [pscustomobject]@{ InDesiredState = $dsc.state[$Property.Key] -eq $flat } }
    $dsc.state[$Property.Key] = $flat
    [pscustomobject]@{ RebootRequired = $ModuleName.ModuleVersion -eq '1.9.0' }
}

if (-not [AppDomain]::CurrentDomain.GetData('Dsc')) { Reset-Dsc }
