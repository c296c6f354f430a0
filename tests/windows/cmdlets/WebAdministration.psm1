# The module WebAdministration. Settings are kept by the filters that name them, as applicationHost.config would have them.
function Reset-WebAdministration {
    [AppDomain]::CurrentDomain.SetData('WebAdministration', @{ config = @{}; state = @{}; bindings = [Collections.ArrayList]@() })
    $null = New-WebAppPool -Name DefaultAppPool
    $null = New-Website -Name Default -PhysicalPath C:\windows -Port 80
}

function Get-Iis { [AppDomain]::CurrentDomain.GetData('WebAdministration') }
function Site([string]$name) { "/system.applicationHost/sites/site[@name='$name']" }
function App([string]$site, [string]$app) { "$(Site $site)/application[@path='/$app']" }
function DirectoryOf([string]$site, [string]$app, [string]$dir) { "$(App $site $app)/virtualDirectory[@path='/$dir']" }
function Pool([string]$name) { "/system.applicationHost/applicationPools/add[@name='$name']" }
function Remove-Below([string]$filter) { $config = (Get-Iis).config; foreach ($key in @($config.Keys)) { if ($key -eq $filter -or $key.StartsWith("$filter/")) { $config.Remove($key) } } }

function Get-WebConfiguration { [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Filter, [string[]]$PSPath) if ((Get-Iis).config.ContainsKey("$Filter")) { [pscustomobject]@{ ItemXPath = "$Filter" } } }
function Clear-WebConfiguration { [CmdletBinding()] param([Parameter(Position = 0)][string[]]$Filter, [string[]]$PSPath) Remove-Below "$Filter" }

function Get-WebConfigurationProperty {
    [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Filter, [Parameter(Mandatory)][string[]]$Name, [string[]]$PSPath)
    $value = (Get-Iis).config["$Filter"].("$Name")
    # Texts and names come as they are, all else as an attribute.
    if ($value -is [string]) { $value } else { [pscustomobject]@{ Name = "$Name"; Value = $value } }
}

function Set-WebConfigurationProperty {
    [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Filter, [Parameter(Mandatory)][string]$Name, [Parameter(Mandatory)]$Value, [string[]]$PSPath)
    $row = (Get-Iis).config["$Filter"]
    if (-not $row) {
        $binding = (Get-Iis).bindings | Where-Object { "$Filter" -like "*bindingInformation='$($_.bindingInformation)'*" }
        if ($binding) { $binding.$Name = $Value; return }
    }
    if (-not $row -or -not $row.ContainsKey($Name)) { throw "Target configuration object '$Filter' is not found or has no property '$Name'." }
    $row[$Name] = if ($row[$Name] -is [string]) { "$Value" } else { $Value -as $row[$Name].GetType() }
}

function New-WebAppPool {
    [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [switch]$Force)
    (Get-Iis).config[(Pool $Name)] = @{ managedRuntimeVersion = 'v4.0'; managedPipelineMode = 'Integrated'; enable32BitAppOnWin64 = $false }
    (Get-Iis).config["$(Pool $Name)/processModel"] = @{ identityType = 'ApplicationPoolIdentity'; userName = ''; password = ''; idleTimeout = [TimeSpan]'00:20:00' }
    (Get-Iis).state["pool $Name"] = 'Started'
}
function Remove-WebAppPool { [CmdletBinding()] param([Parameter(Mandatory)][string]$Name) Remove-Below (Pool $Name) }
function Get-WebAppPoolState { [CmdletBinding()] param([string]$Name) [pscustomobject]@{ Value = (Get-Iis).state["pool $Name"] } }
function Start-WebAppPool { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name) (Get-Iis).state["pool $Name"] = 'Started' }
function Stop-WebAppPool { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name) if ((Get-Iis).state["pool $Name"] -eq 'Stopped') { throw 'The application pool is already stopped.' }; (Get-Iis).state["pool $Name"] = 'Stopped' }
function Restart-WebAppPool { [CmdletBinding()] param([Parameter(Mandatory)][string[]]$Name) if ((Get-Iis).state["pool $Name"] -eq 'Stopped') { throw 'You have to start stopped object before restarting it.' } }

function New-Website {
    [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [uint32]$Id, [uint32]$Port = 80, [string]$IPAddress = '*', [string]$HostHeader, [string]$PhysicalPath, [string]$ApplicationPool = 'DefaultAppPool', [switch]$Ssl, [switch]$Force)
    $config = (Get-Iis).config
    $config[(Site $Name)] = @{ id = [int64]$(if ($Id) { $Id } else { 2 }) }
    $config["$(Site $Name)/logFile"] = @{ directory = '%SystemDrive%\inetpub\logs\LogFiles'; period = 'Daily' }
    $config[(App $Name '')] = @{ applicationPool = $ApplicationPool }
    $config[(DirectoryOf $Name '' '')] = @{ physicalPath = $PhysicalPath; userName = ''; password = '' }
    (Get-Iis).state["site $Name"] = 'Started'
    New-WebBinding -Name $Name -Port $Port -IPAddress $IPAddress -HostHeader $HostHeader
}
function Get-Website { [CmdletBinding()] param([string]$Name) foreach ($key in (Get-Iis).config.Keys) { if ($key -match "site\[@name='([^']+)'\]$") { [pscustomobject]@{ name = $Matches[1] } } } }
function Remove-Website { [CmdletBinding()] param([Parameter(Mandatory)][string]$Name) Remove-Below (Site $Name) }
function Get-WebsiteState { [CmdletBinding()] param([string]$Name) [pscustomobject]@{ Value = (Get-Iis).state["site $Name"] } }
function Start-Website { [CmdletBinding()] param([Parameter(Mandatory)][string]$Name) (Get-Iis).state["site $Name"] = 'Started' }
function Stop-Website { [CmdletBinding()] param([Parameter(Mandatory)][string]$Name) (Get-Iis).state["site $Name"] = 'Stopped' }

function New-WebApplication {
    [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [string]$Site, [string]$PhysicalPath, [string]$ApplicationPool, [switch]$Force)
    (Get-Iis).config[(App $Site $Name)] = @{ applicationPool = $ApplicationPool }
    (Get-Iis).config[(DirectoryOf $Site $Name '')] = @{ physicalPath = $PhysicalPath; userName = ''; password = '' }
}
function Remove-WebApplication { [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [Parameter(Mandatory)][string]$Site) Remove-Below (App $Site $Name) }
function New-WebVirtualDirectory {
    [CmdletBinding()] param([Parameter(Mandatory)][string]$Name, [string]$Site, [string]$Application, [string]$PhysicalPath, [switch]$Force)
    (Get-Iis).config[(DirectoryOf $Site $Application.Trim('/') $Name)] = @{ physicalPath = $PhysicalPath; userName = ''; password = '' }
}

function New-WebBinding {
    [CmdletBinding()] param([string]$Name, [string]$Protocol = 'http', [uint32]$Port = 80, [string]$IPAddress = '*', [string]$HostHeader, [int]$SslFlags)
    $binding = [pscustomobject]@{ site = $Name; protocol = $Protocol; bindingInformation = "${IPAddress}:${Port}:$HostHeader"; sslFlags = $SslFlags; certificateHash = ''; certificateStoreName = '' }
    Add-Member -InputObject $binding ScriptMethod AddSslCertificate { if ($this.certificateHash) { throw 'Cannot create a file when that file already exists.' }; $this.certificateHash, $this.certificateStoreName = $args[0], $args[1] }
    Add-Member -InputObject $binding ScriptMethod RemoveSslCertificate { $this.certificateHash = $this.certificateStoreName = '' }
    $null = (Get-Iis).bindings.Add($binding)
}
function Get-WebBinding { [CmdletBinding()] param([string]$Name, [string]$Protocol, [uint32]$Port, [string]$IPAddress, [string]$HostHeader) (Get-Iis).bindings | Where-Object { $_.site -eq $Name -and (-not $Protocol -or $_.protocol -eq $Protocol) } }
function Remove-WebBinding { [CmdletBinding()] param([Parameter(ValueFromPipeline)]$InputObject) process { (Get-Iis).bindings.Remove($InputObject) } }

if (-not [AppDomain]::CurrentDomain.GetData('WebAdministration')) { Reset-WebAdministration }
