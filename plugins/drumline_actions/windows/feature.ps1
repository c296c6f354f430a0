# Installs the roles and features $names of a server, or uninstalls them; a check asks the same with -WhatIf.
$answer.changed = $false
if (-not (Get-Command Install-WindowsFeature -ErrorAction SilentlyContinue)) { throw "This host has no Install-WindowsFeature: it is no Windows Server; see win_optional_feature" }
$given = @{ Name = $names; Restart = $false; WhatIf = $check; WarningAction = 'SilentlyContinue' }
if ($tools) { $given.IncludeManagementTools = $true }
if ($present) {
    if ($all) { $given.IncludeAllSubFeature = $true }
    if ($source) {
        if (-not $check -and -not (Test-Path -LiteralPath $source)) { throw "Failed to find source $source" }
        $given.Source = $source
    }
    $result = Install-WindowsFeature @given
}
else { $result = Uninstall-WindowsFeature @given }
$done = @($result.FeatureResult | Where-Object { $_ } | ForEach-Object {
        @{
            id = $_.Id; display_name = $_.DisplayName; reboot_required = "$($_.RestartNeeded)" -in 'True', 'Yes'; skip_reason = "$($_.SkipReason)"; success = $_.Success
            message = @($_.Message | Where-Object { $_ } | ForEach-Object { @{ error_code = $_.ErrorCode; message_type = "$($_.MessageType)"; text = $_.Text } })
        }
    })
$answer.feature_result = ConvertTo-Json -InputObject $done -Depth 5 -Compress
$answer.exitcode = "$($result.ExitCode)"
$answer.reboot_required = "$($result.RestartNeeded)" -in 'True', 'Yes'
if (-not $result.Success) { throw "Failed to $(if ($present) { 'add' } else { 'remove' }) the feature $($names -join ', '): $($result.ExitCode)" }
if ($done) { Change { } }
