# Sets each of $rows, { name, value }, in the environment of the $level; a value that is $null removes the variable.
$answer.changed = $false
$answer.values = @{}
foreach ($row in $rows) {
    $before = [Environment]::GetEnvironmentVariable($row.name, $level)
    $differs = $before -cne $row.value
    if ($differs) { Change { [Environment]::SetEnvironmentVariable($row.name, $row.value, $level) } }
    $answer.values[$row.name] = @{ name = $row.name; before_value = $before; value = $row.value; level = $level; changed = $differs }
}
