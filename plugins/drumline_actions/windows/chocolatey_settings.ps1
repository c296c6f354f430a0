# Sets the $kind (config, feature or source) $name of Chocolatey.

function Require-Choco { if (-not $choco) { throw 'Chocolatey is not installed; win_chocolatey installs it' } }

function Set-Config {
    $row = Read-Table @('config', 'list') | Where-Object { $_.cells[0] -eq $name } | Select-Object -First 1
    $old = if ($row) { "$($row.cells[1])" } else { '' }
    if ($old -ceq "$value") { return }
    if ($value) { Change { $null = Invoke-Choco 'config', 'set', '--name', $name, '--value', $value } }
    else { Change { $null = Invoke-Choco 'config', 'unset', '--name', $name } }
}

function Set-Feature {
    $row = Read-Table @('feature', 'list') | Where-Object { $_.cells[0] -eq $name } | Select-Object -First 1
    if (-not $row) { throw "Invalid feature name '$name' specified, check if it is spelt correctly or whether Chocolatey has it" }
    if (($row.cells[1] -eq 'Enabled') -eq $enabled) { return }
    Change { $null = Invoke-Choco 'feature', $(if ($enabled) { 'enable' } else { 'disable' }), '--name', $name }
}

# The columns of 'source list': name, source, disabled, user, certificate, priority, bypass proxy, self-service, admin only.
function Same-Source($row) {
    $is = @{ source = $row.cells[1]; user = $row.cells[3]; cert = $row.cells[4]; priority = $row.cells[5] }
    foreach ($each in $is.Keys) { if ($null -ne $wanted[$each] -and "$($wanted[$each])" -cne "$($is[$each])") { return $false } }
    $flags = @{ 'bypass-proxy' = $row.cells[6]; 'allow-self-service' = $row.cells[7]; 'admin-only' = $row.cells[8] }
    foreach ($each in $flags.Keys) { if ($null -ne $switches[$each] -and $switches[$each] -ne ($flags[$each] -eq 'True')) { return $false } }
    -not ($update_password -and ($wanted.password -or $wanted.certpassword))
}

function Set-Source {
    $row = Read-Table @('source', 'list') | Where-Object { $_.cells[0] -eq $name } | Select-Object -First 1
    if ($state -eq 'absent') {
        if ($row) { Change { $null = Invoke-Choco 'source', 'remove', '--name', $name } }
        return
    }
    if (-not $row -and -not $wanted.source) { throw "The source option must be set when creating a new source" }
    if (-not $row -or -not (Same-Source $row)) {
        $words = @('source', 'add', '--name', $name)
        if ($row) {
            foreach ($pair in @('source', 1), @('user', 3), @('cert', 4), @('priority', 5)) { if ($null -eq $wanted[$pair[0]] -and $row.cells[$pair[1]]) { $wanted[$pair[0]] = $row.cells[$pair[1]] } }
            foreach ($pair in @('bypass-proxy', 6), @('allow-self-service', 7), @('admin-only', 8)) { if ($null -eq $switches[$pair[0]]) { $switches[$pair[0]] = $row.cells[$pair[1]] -eq 'True' } }
        }
        foreach ($each in @($wanted.Keys)) { if ($null -ne $wanted[$each]) { $words += "--$each", "$($wanted[$each])" } }
        foreach ($each in @($switches.Keys)) { if ($switches[$each]) { $words += "--$each" } }
        Change {
            if ($row) { $null = Invoke-Choco 'source', 'remove', '--name', $name }
            $null = Invoke-Choco $words
        }
    }
    $disabled = $row -and $row.cells[2] -eq 'True' -and -not $answer.changed
    if ($disabled -eq ($state -eq 'disabled')) { return }
    Change { $null = Invoke-Choco 'source', $(if ($state -eq 'disabled') { 'disable' } else { 'enable' }), '--name', $name }
}

$answer.changed = $false
Require-Choco
switch ($kind) {
    'config' { Set-Config }
    'feature' { Set-Feature }
    'source' { Set-Source }
}
