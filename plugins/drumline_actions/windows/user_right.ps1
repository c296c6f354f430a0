# Gives the right $name to the accounts $users, or takes it from them: $how is add, remove or set.
$answer.changed = $false
$areas = '/areas', 'USER_RIGHTS'

# Who has it, by SIDs; an account that the host can't find stands there by its name.
function Read-Holders {
    $rights = (Read-Policy $areas)['Privilege Rights']
    foreach ($holder in "$(if ($rights) { $rights[$name] })".Split(',')) {
        $plain = $holder.Trim()
        if ($plain) { try { (To-Sid $plain).Value } catch { $plain } }
    }
}

function Names($holders) { , [string[]]@($holders | ForEach-Object { if ("$_" -like 'S-1-*') { To-Name (To-Sid $_) } else { "$_" } }) }

$given = @($users | ForEach-Object { (To-Sid $_).Value })
Use-Directory {
    $has = @(Read-Holders)
    $wanted = @(switch ($how) {
            'add' { $has; $given | Where-Object { $_ -notin $has } }
            'remove' { $has | Where-Object { $_ -notin $given } }
            'set' { $given }
        })
    $added = @($wanted | Where-Object { $_ -notin $has })
    $removed = @($has | Where-Object { $_ -notin $wanted })
    $answer.added = Names $added
    $answer.removed = Names $removed
    if (-not $added -and -not $removed) { return }
    if ($diff) { Differs 'users' (Names $has) (Names $wanted) }
    Change {
        $line = @($wanted | ForEach-Object { if ("$_" -like 'S-1-*') { "*$_" } else { $_ } }) -join ','
        $log = Write-Policy 'Privilege Rights' $name $line $areas
        $now = @(Read-Holders)
        if (@($wanted | Where-Object { $_ -notin $now }) -or @($now | Where-Object { $_ -notin $wanted })) { throw "secedit.exe didn't set ${name}: $log" }
    }
}
