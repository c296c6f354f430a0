# The module ServerManager: Get-, Install- and Uninstall-WindowsFeature.
function Reset-ServerManager {
    [AppDomain]::CurrentDomain.SetData('ServerManager', [ordered]@{
            'Web-Server'        = @{ installed = $false; parent = ''; tools = 'Web-Mgmt-Console'; restart = $false; id = 2 }
            'Web-Asp-Net45'     = @{ installed = $false; parent = 'Web-Server'; tools = ''; restart = $false; id = 355 }
            'Web-Mgmt-Console'  = @{ installed = $false; parent = ''; tools = ''; restart = $false; id = 175 }
            'Telnet-Client'     = @{ installed = $true; parent = ''; tools = ''; restart = $false; id = 44 }
            'NET-Framework-45'  = @{ installed = $false; parent = ''; tools = ''; restart = $true; id = 418 }
            'Broken'            = @{ installed = $false; parent = ''; tools = ''; restart = $false; id = 9 }
        })
}

function Set-Features([string[]]$names, [bool]$installed, $cmdlet) {
    $known = [AppDomain]::CurrentDomain.GetData('ServerManager')
    foreach ($name in $names) {
        if (-not $known.Contains($name)) { throw [ArgumentException]::new("ArgumentNotValid: The role, role service, or feature name is not valid: '$name'. The name was not found.") }
    }
    $wanted = @($names | Where-Object { $known[$_].installed -ne $installed })
    if ('Broken' -in $wanted) { return [pscustomobject]@{ Success = $false; RestartNeeded = 'No'; FeatureResult = @(); ExitCode = 'Failed' } }
    $done = $cmdlet.ShouldProcess('localhost', "$names")
    $results = foreach ($name in $wanted) {
        if ($done) { $known[$name].installed = $installed }
        [pscustomobject]@{ Name = $name; DisplayName = "The $name"; Id = $known[$name].id; Message = @([pscustomobject]@{ ErrorCode = 0; MessageType = 'Information'; Text = 'done' }); RestartNeeded = $known[$name].restart; SkipReason = 'NotSkipped'; Success = $true }
    }
    $restart = [bool]@($wanted | Where-Object { $known[$_].restart })
    $code = if (-not $wanted) { 'NoChangeNeeded' } elseif ($restart) { 'SuccessRestartRequired' } else { 'Success' }
    [pscustomobject]@{ Success = $true; RestartNeeded = $(if ($restart) { 'Yes' } else { 'No' }); FeatureResult = @($results); ExitCode = $code }
}

function Install-WindowsFeature {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)][string[]]$Name, [switch]$IncludeAllSubFeature, [switch]$IncludeManagementTools, [switch]$Restart, [string[]]$Source, [string]$ComputerName, $Credential, [string]$LogPath, [string]$Vhd)
    $known = [AppDomain]::CurrentDomain.GetData('ServerManager')
    $all = @($Name)
    if ($IncludeAllSubFeature) { $all += @($known.Keys | Where-Object { $known[$_].parent -in $Name }) }
    if ($IncludeManagementTools) { $all += @($Name | ForEach-Object { $known[$_].tools } | Where-Object { $_ }) }
    Set-Features $all $true $PSCmdlet
}

function Uninstall-WindowsFeature {
    [CmdletBinding(SupportsShouldProcess)]
    param([Parameter(Mandatory)][string[]]$Name, [switch]$IncludeManagementTools, [switch]$Restart, [switch]$Remove, [string]$ComputerName, $Credential, [string]$LogPath, [string]$Vhd)
    $known = [AppDomain]::CurrentDomain.GetData('ServerManager')
    Set-Features (@($Name) + @($known.Keys | Where-Object { $known[$_].parent -in $Name })) $false $PSCmdlet
}

if (-not [AppDomain]::CurrentDomain.GetData('ServerManager')) { Reset-ServerManager }
