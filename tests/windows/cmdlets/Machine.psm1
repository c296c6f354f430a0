# tzutil.exe (/g, /l, /s ZONE), powercfg.exe (/list, /setactive GUID), and Rename-Computer, which sets the name of the next start.
function Reset-Machine {
    [AppDomain]::CurrentDomain.SetData('Machine', @{ zone = 'UTC'; plan = '381b4222-f694-41f0-9685-ff5bb260df2e' })
    [Microsoft.Win32.Registry]::SetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName', 'ComputerName', [Environment]::MachineName)
}

function Get-Machine { [AppDomain]::CurrentDomain.GetData('Machine') }

function tzutil.exe {
    $global:LASTEXITCODE = 0
    $zones = 'UTC', 'Central Standard Time', 'W. Europe Standard Time'
    switch ($args[0]) {
        '/g' { (Get-Machine).zone }
        '/l' { foreach ($zone in $zones) { "(UTC) $zone"; $zone; '' } }
        '/s' { if (($args[1] -replace '_dstoff$') -in $zones) { (Get-Machine).zone = $args[1] } else { $global:LASTEXITCODE = 1; 'The time zone ID is invalid.' } }
    }
}

function powercfg.exe {
    $global:LASTEXITCODE = 0
    $plans = [ordered]@{ '381b4222-f694-41f0-9685-ff5bb260df2e' = 'Balanced'; '8c5e7fda-e8bf-4a96-9a85-a6e23a8c635c' = 'High performance' }
    switch ($args[0]) {
        '/list' { ''; 'Existing Power Schemes (* Active)'; '-----------------------------------'; foreach ($id in $plans.Keys) { "Power Scheme GUID: $id  ($($plans[$id]))$(if ($id -eq (Get-Machine).plan) { ' *' })" } }
        '/setactive' { if ($plans.Contains($args[1])) { (Get-Machine).plan = $args[1] } else { $global:LASTEXITCODE = 1; 'The power scheme, subgroup or setting specified does not exist.' } }
    }
}

function Rename-Computer {
    [CmdletBinding(SupportsShouldProcess)] param([Parameter(Mandatory)][string]$NewName, [string]$ComputerName, [switch]$Force, [switch]$PassThru, [switch]$Restart)
    if ($NewName -eq 'refused') { throw "Fail to rename computer to 'refused' due to the following exception: Access is denied." }
    [Microsoft.Win32.Registry]::SetValue('HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\ComputerName\ComputerName', 'ComputerName', $NewName)
    Write-Warning "The changes will take effect after you restart the computer."
}

if (-not [AppDomain]::CurrentDomain.GetData('Machine')) { Reset-Machine }
