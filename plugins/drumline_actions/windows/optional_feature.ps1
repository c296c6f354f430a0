# Enables the optional features $names of Windows, or disables them.
$answer.changed = $false
$answer.reboot_required = $false
foreach ($name in $names) {
    $feature = Get-WindowsOptionalFeature -Online -FeatureName $name
    # One that isn't there, or whose name is a pattern, is an answer with no or several states.
    if (@($feature).Count -ne 1 -or -not "$($feature.State)") { throw "Failed to find the feature $name" }
    if (("$($feature.State)" -in 'Enabled', 'EnablePending') -eq $present) { continue }
    if ($diff) { Differs $name "$($feature.State)" $(if ($present) { 'Enabled' } else { 'Disabled' }) }
    Change {
        $given = @{ Online = $true; FeatureName = $name; NoRestart = $true; WarningAction = 'SilentlyContinue' }
        if (-not $present) { $done = Disable-WindowsOptionalFeature @given }
        else {
            if ($all) { $given.All = $true }
            if ($source) { $given.Source, $given.LimitAccess = $source, $true }
            $done = Enable-WindowsOptionalFeature @given
        }
        if ($done.RestartNeeded) { $answer.reboot_required = $true }
    }
}
