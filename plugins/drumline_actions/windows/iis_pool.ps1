# Brings the application pool $name into $state, with these $attributes.
$answer.changed = $false
$filter = Pool-Filter $name
$there = Is-There $filter
if ($state -eq 'absent') {
    if ($there) { Say-Exists $true $false; Change { Remove-WebAppPool -Name $name } }
    return
}
if (-not $there) { Say-Exists $false $true; Change { $null = New-WebAppPool -Name $name } }
if (-not (Is-There $filter)) { return }
foreach ($each in @($attributes.Keys | Sort-Object)) { Set-Setting $filter $each $attributes[$each] }
$now = "$((Get-WebAppPoolState -Name $name).Value)"
switch ($state) {
    'started' { if ($now -ne 'Started') { Differs 'running' $now 'Started'; Change { Start-WebAppPool -Name $name } } }
    'stopped' { if ($now -ne 'Stopped') { Differs 'running' $now 'Stopped'; Change { Stop-WebAppPool -Name $name } } }
    'restarted' { Change { if ($now -eq 'Stopped') { Start-WebAppPool -Name $name } else { Restart-WebAppPool -Name $name } } }
}
$answer.info = @{ name = $name; state = "$((Get-WebAppPoolState -Name $name).Value)" }
