# The modules PowerShellGet and PackageManagement, and what Get-Module -ListAvailable finds by them.
function Reset-PowerShellGet {
    [AppDomain]::CurrentDomain.SetData('PowerShellGet', @{
            nuget     = $false
            installed = @{ Pester = @('3.4.0', '5.1.0') }
            offered   = @{ PSGallery = @{ Pester = '5.5.0'; Carbon = '2.9.0'; Clash = '1.0' }; Own = @{ Flagship = '1.0.0-beta2' } }
        })
}

function Get-Packages { [AppDomain]::CurrentDomain.GetData('PowerShellGet') }

function Get-Module {
    [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [switch]$ListAvailable, [switch]$All)
    if (-not $ListAvailable) { return Microsoft.PowerShell.Core\Get-Module @PSBoundParameters }
    foreach ($version in (Get-Packages).installed["$Name"]) { [pscustomobject]@{ Name = "$Name"; Version = [version]($version -replace '-.*'); ModuleType = 'Script' } }
}

function Get-PackageProvider {
    [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [switch]$ListAvailable, [switch]$Force)
    [pscustomobject]@{ Name = 'PowerShellGet'; Version = [version]'1.0.0.1' }
    if ((Get-Packages).nuget) { [pscustomobject]@{ Name = 'NuGet'; Version = [version]'2.8.5.208' } }
}

function Install-PackageProvider {
    [CmdletBinding()] param([Parameter(Mandatory, Position = 0)][string[]]$Name, [string]$MinimumVersion, [string]$Scope, [switch]$Force)
    if (-not $Force) { throw 'A question that no one answers' }
    (Get-Packages).nuget = $true
}

function Find-Module {
    [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Name, [string]$RequiredVersion, [string]$MinimumVersion, [string]$MaximumVersion, [string[]]$Repository, [switch]$AllowPrerelease, [pscredential]$Credential)
    $from = if ($Repository) { $Repository } else { @('PSGallery') }
    $version = (Get-Packages).offered["$from"]["$Name"]
    if (-not $version -or ($version -like '*-*' -and -not $AllowPrerelease)) { throw "No match was found for the specified search criteria and module name '$Name'. Try Get-PSRepository to see all available registered module repositories." }
    [pscustomobject]@{ Name = "$Name"; Version = $version; Repository = "$from" }
}

function Install-Module {
    [CmdletBinding()] param([Parameter(Mandatory, Position = 0)][string[]]$Name, [string]$RequiredVersion, [string]$MinimumVersion, [string]$MaximumVersion, [string[]]$Repository, [ValidateSet('CurrentUser', 'AllUsers')][string]$Scope, [switch]$Force, [switch]$AllowClobber, [switch]$SkipPublisherCheck, [switch]$AllowPrerelease, [pscredential]$Credential)
    if (-not (Get-Packages).nuget) { throw 'NuGet provider is required to interact with NuGet-based repositories.' }
    if (-not $Force) { throw 'Untrusted repository' }
    $where = @{}
    if ($Repository) { $where.Repository = $Repository }
    $found = Find-Module -Name $Name @where -AllowPrerelease:$AllowPrerelease
    if ("$Name" -eq 'Clash' -and -not $AllowClobber) { throw "The following commands are already available on this system:'Get-It'. This module 'Clash' may override the existing commands." }
    $version = if ($RequiredVersion) { $RequiredVersion } else { $found.Version }
    $all = (Get-Packages).installed
    $all["$Name"] = @(@($all["$Name"]) + $version | Where-Object { $_ } | Select-Object -Unique)
}

function Uninstall-Module {
    [CmdletBinding()] param([Parameter(Mandatory, Position = 0)][string[]]$Name, [string]$RequiredVersion, [string]$MinimumVersion, [string]$MaximumVersion, [switch]$AllVersions, [switch]$Force)
    $all = (Get-Packages).installed
    if ($AllVersions) { $all.Remove("$Name") } else { $all["$Name"] = @($all["$Name"] | Where-Object { $_ -ne $RequiredVersion }) }
}

if (-not [AppDomain]::CurrentDomain.GetData('PowerShellGet')) { Reset-PowerShellGet }
