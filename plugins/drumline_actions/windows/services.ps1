# What scripts of services share. The registry has what 5.1's Get-Service doesn't tell.
function Find-Service([string]$wanted) {
    @(Get-Service -ErrorAction SilentlyContinue) | Where-Object { $_.ServiceName -eq $wanted -or $_.DisplayName -eq $wanted } | Select-Object -First 1
}

function Read-Config([string]$id) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("SYSTEM\CurrentControlSet\Services\$id")
    if ($null -eq $key) { return @{} }
    $start = switch ($key.GetValue('Start', 3)) { 0 { 'boot' } 1 { 'system' } 2 { 'auto' } 4 { 'disabled' } default { 'manual' } }
    if ($start -eq 'auto' -and $key.GetValue('DelayedAutostart', 0)) { $start = 'delayed' }
    $user = "$($key.GetValue('ObjectName', 'LocalSystem'))"
    @{
        path = "$($key.GetValue('ImagePath', '', 'DoNotExpandEnvironmentNames'))"; start_mode = $start
        display_name = "$($key.GetValue('DisplayName', $id))"; description = "$($key.GetValue('Description', ''))"
        username = $(if ($user) { $user } else { 'LocalSystem' }); dependencies = @($key.GetValue('DependOnService', @()))
        desktop_interact = [bool]($key.GetValue('Type', 16) -band 256); type = $key.GetValue('Type', 16)
    }
}

function State-Of($service) {
    switch ("$($service.Status)") {
        'Running' { 'started' } 'Stopped' { 'stopped' } 'Paused' { 'paused' }
        'StartPending' { 'start_pending' } 'StopPending' { 'stop_pending' } default { "$($service.Status)".ToLowerInvariant() }
    }
}
