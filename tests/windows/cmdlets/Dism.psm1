# The module Dism: Get-, Enable- and Disable-WindowsOptionalFeature.
function Reset-Dism {
    [AppDomain]::CurrentDomain.SetData('Dism', @{ TelnetClient = 'Disabled'; TFTP = 'Enabled'; 'Parent' = 'Disabled'; 'Child' = 'Disabled'; Hyper = 'DisabledWithPayloadRemoved' })
}

function Find-Feature($name) {
    $known = [AppDomain]::CurrentDomain.GetData('Dism')
    if (-not $known.ContainsKey($name)) { throw [Runtime.InteropServices.COMException]::new("Feature name $name is unknown.") }
    $known
}

function Get-WindowsOptionalFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory)][switch]$Online, [string]$FeatureName)
    $known = Find-Feature $FeatureName
    [pscustomobject]@{ FeatureName = $FeatureName; DisplayName = "The $FeatureName"; RestartRequired = 'Possible'; State = $known[$FeatureName] }
}

function Enable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string[]]$FeatureName, [Parameter(Mandatory)][switch]$Online, [switch]$All, [switch]$LimitAccess, [string[]]$Source, [switch]$NoRestart, [string]$PackageName)
    foreach ($name in $FeatureName) {
        $known = Find-Feature $name
        if ($name -eq 'Child' -and $known.Parent -ne 'Enabled') {
            if (-not $All) { throw [Runtime.InteropServices.COMException]::new('One or several parent features are disabled so current feature can not be enabled.') }
            $known.Parent = 'Enabled'
        }
        if ($known[$name] -eq 'DisabledWithPayloadRemoved' -and -not $Source) { throw [Runtime.InteropServices.COMException]::new('The source files could not be found.') }
        $known[$name] = 'Enabled'
        [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $name -eq 'Hyper' }
    }
}

function Disable-WindowsOptionalFeature {
    [CmdletBinding()]
    param([Parameter(Mandatory)][string[]]$FeatureName, [Parameter(Mandatory)][switch]$Online, [switch]$Remove, [switch]$NoRestart, [string]$PackageName)
    foreach ($name in $FeatureName) { (Find-Feature $name)[$name] = 'Disabled'; [pscustomobject]@{ Path = ''; Online = $true; RestartNeeded = $false } }
}

if (-not [AppDomain]::CurrentDomain.GetData('Dism')) { Reset-Dism }
