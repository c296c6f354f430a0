# Brings the site $name into $state; $parameters are settings of it, by their dotted names.
$answer.changed = $false
$filter = Site-Filter $name
$there = Is-There $filter
if ($state -eq 'absent') {
    if ($there) { Say-Exists $true $false; Change { Remove-Website -Name $name } }
    return
}
if ($physical_path) { Need-Directory $physical_path }
if (-not $there) {
    if (-not $physical_path) { throw "The site '$name' is new: 'physical_path' is needed" }
    $given = @{ Name = $name; PhysicalPath = $physical_path }
    $bound = @{ ApplicationPool = $application_pool; Port = $port; IPAddress = $ip; HostHeader = $hostname }
    foreach ($each in $bound.Keys) { if ($bound[$each]) { $given[$each] = $bound[$each] } }
    # New-Website can't count from nothing.
    if ($site_id) { $given.Id = $site_id } elseif (-not @(Get-Website)) { $given.Id = 1 }
    Say-Exists $false $true
    Change { $null = New-Website @given -Force }
}
if (-not (Is-There $filter)) { return }
if ($there) {
    Set-Setting (Directory-Filter $name '' '') 'physicalPath' $physical_path
    Set-Setting (Application-Filter $name '') 'applicationPool' $application_pool
}
foreach ($each in @($parameters.Keys | Sort-Object)) { Set-Setting $filter ($each -replace '^logfile\.', 'logFile.') $parameters[$each] }
$now = "$((Get-WebsiteState -Name $name).Value)"
switch ($state) {
    'started' { if ($now -ne 'Started') { Differs 'running' $now 'Started'; Change { Start-Website -Name $name } } }
    'stopped' { if ($now -ne 'Stopped') { Differs 'running' $now 'Stopped'; Change { Stop-Website -Name $name } } }
    'restarted' { Change { if ($now -ne 'Stopped') { Stop-Website -Name $name }; Start-Website -Name $name } }
}
$answer.site = @{
    name = $name; state = "$((Get-WebsiteState -Name $name).Value)"; id = "$(Read-Setting $filter 'id')"
    physical_path = "$(Read-Setting (Directory-Filter $name '' '') 'physicalPath')"; application_pool = "$(Read-Setting (Application-Filter $name '') 'applicationPool')"
}
