# Brings the application $name of the $site into $state.
$answer.changed = $false
Need-Site $site
$filter = Application-Filter $site $name
$directory = Directory-Filter $site $name ''
$there = Is-There $filter
if ($state -eq 'absent') {
    if ($there) { Say-Exists $true $false; Change { Remove-WebApplication -Site $site -Name $name } }
    return
}
if ($physical_path) { Need-Directory $physical_path }
if (-not $there) {
    if (-not $physical_path) { throw "The application '$name' is new: 'physical_path' is needed" }
    $given = @{ Site = $site; Name = $name; PhysicalPath = $physical_path }
    # It would get the default one otherwise, and not that of its site.
    $given.ApplicationPool = if ($application_pool) { $application_pool } else { "$(Read-Setting (Application-Filter $site '') 'applicationPool')" }
    Say-Exists $false $true
    Change { $null = New-WebApplication @given }
}
$answer.physical_path, $answer.application_pool = $physical_path, $application_pool
if (-not (Is-There $filter)) { return }
Set-Setting $directory 'physicalPath' $physical_path
Set-Setting $filter 'applicationPool' $application_pool
Set-Login $directory
$answer.physical_path = "$(Read-Setting $directory 'physicalPath')"
$answer.application_pool = "$(Read-Setting $filter 'applicationPool')"
$answer.connect_as = if ("$(Read-Setting $directory 'userName')") { 'specific_user' } else { 'pass_through' }
