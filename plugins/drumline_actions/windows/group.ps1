# Brings the local group $name into $state. $add and $remove are members; $set, if it is given, are all that it is to have.
$answer.changed = $false
$answer.sid = $null
$group = Find-Entry 'group' $name
if ($state -eq 'absent') {
    if ($group) { Differs 'state' 'present' 'absent'; Change { $computer.Children.Remove($group) } }
    return
}
if (-not $group) {
    if ($must_exist) { throw "Could not find local group $name" }
    Differs 'state' 'absent' 'present'
    Change { $group = $computer.Children.Add($name, 'group'); $group.CommitChanges() }
    $group = Find-Entry 'group' $name
}
if ($group) { Set-Property $group 'Description' $description }
$has = @(if ($group) { Read-Members $group })
$given = @{ add = $add; remove = $remove; set = $set }
foreach ($each in @($given.Keys)) { if ($null -ne $given[$each]) { $given[$each] = @($given[$each] | ForEach-Object { (To-Sid $_).Value }) } }
$into = @($given.add + $given.set | Where-Object { $_ -and $_ -notin $has } | Select-Object -Unique)
$from = @($has | Where-Object { $_ -in $given.remove -or ($null -ne $given.set -and $_ -notin $given.set) })

function Names($sids) { , [string[]]@($sids | Where-Object { $_ } | ForEach-Object { To-Name (To-Sid $_) }) }

$now = @(@($has | Where-Object { $_ -notin $from }) + $into)
if ($into -or $from) {
    Differs 'members' (Names $has) (Names $now)
    Change {
        foreach ($sid in $into) { Add-Member $group $sid }
        foreach ($sid in $from) { Remove-Member $group $sid }
    }
}
$answer.added = Names $into
$answer.removed = Names $from
$answer.members = Names $now
$answer.sid = if ($group) { (Sid-Of $group).Value } else { 'S-1-5-0000' }
