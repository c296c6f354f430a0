# Brings the virtual directory $name of the $site, or of an $application of it, into $state.
$answer.changed = $false
Need-Site $site
if ($application -and -not (Is-There (Application-Filter $site $application))) { throw "The application '$application' of the site '$site' was not found" }
$filter = Directory-Filter $site $application $name
$there = Is-There $filter
if ($state -eq 'absent') {
    if ($there) { Say-Exists $true $false; Change { Clear-WebConfiguration -PSPath $host_config -Filter $filter } }
    return
}
if ($physical_path) { Need-Directory $physical_path }
if (-not $there) {
    if (-not $physical_path) { throw "The virtual directory '$name' is new: 'physical_path' is needed" }
    $given = @{ Site = $site; Name = $name; PhysicalPath = $physical_path }
    if ($application) { $given.Application = $application }
    Say-Exists $false $true
    Change { $null = New-WebVirtualDirectory @given }
}
if (-not (Is-There $filter)) { return }
Set-Setting $filter 'physicalPath' $physical_path
Set-Login $filter
$answer.directory = @{ PhysicalPath = "$(Read-Setting $filter 'physicalPath')" }
