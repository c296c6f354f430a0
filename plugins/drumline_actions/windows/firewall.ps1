# Sets the firewall's $profiles.
$answer.changed = $false
foreach ($name in $profiles) {
    $now = Get-NetFirewallProfile -Name $name
    $given = @{}
    if (("$($now.Enabled)" -in 'True', '1') -ne $enabled) { $given.Enabled = if ($enabled) { 'True' } else { 'False' } }
    foreach ($each in $actions.Keys) { if ($null -ne $actions[$each] -and "$($now.$each)" -ne $actions[$each]) { $given[$each] = $actions[$each] } }
    if (-not $given.Count) { continue }
    foreach ($each in $given.Keys) { Differs "$name $each" "$($now.$each)" $given[$each] }
    Change { Set-NetFirewallProfile -Name $name @given }
}
