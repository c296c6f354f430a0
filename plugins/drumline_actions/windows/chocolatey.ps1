# Brings the packages $names into $state; $options are words for every command that changes something, $version is one
# or $null. Chocolatey itself is installed first where it is missing, by the script at $bootstrap.

function Install-Chocolatey {
    Change {
        foreach ($part in $proxy.Keys) { [Environment]::SetEnvironmentVariable("chocolateyProxy$part", $proxy[$part]) }
        $client = [Net.WebClient]::new()
        if ($proxy.Location) {
            $client.Proxy = [Net.WebProxy]::new($proxy.Location, $true)
            if ($proxy.User) { $client.Proxy.Credentials = [Net.NetworkCredential]::new($proxy.User, $proxy.Password) }
        }
        if ($source_user) { $client.Credentials = [Net.NetworkCredential]::new($source_user, $source_password) }
        $before = [Net.ServicePointManager]::SecurityProtocol, [Net.ServicePointManager]::ServerCertificateValidationCallback
        foreach ($name in $tls) {
            if ([enum]::GetNames([Net.SecurityProtocolType]) -contains $name) {
                [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]$name
            }
        }
        if (-not $validate_certs) { [Net.ServicePointManager]::ServerCertificateValidationCallback = { $true } }
        try { $null = & ([scriptblock]::Create($client.DownloadString($bootstrap))) *>&1 }
        finally { [Net.ServicePointManager]::SecurityProtocol, [Net.ServicePointManager]::ServerCertificateValidationCallback = $before }
        $env:Path += ";$env:ALLUSERSPROFILE\chocolatey\bin"
    }
}

# What is installed: versions by the names of packages.
function Read-Installed {
    $words = @('list')
    if ([int]((Invoke-Choco '--version') -replace '\D.*$') -lt 2) { $words += '--local-only' }
    $found = @{}
    foreach ($row in Read-Table $words) { $found[$row.cells[0]] = @($found[$row.cells[0]] | Where-Object { $_ }) + $row.cells[1] }
    $found
}

function Run([string]$verb, [string[]]$packages, [string[]]$more = @(), [int[]]$good = @(0, 1641, 3010)) {
    if (-not $packages) { return }
    $words = @($verb) + $packages + @('--yes', '--limit-output') + $options + $more
    if ($version) { $words += '--version', $version }
    Change {
        $answer.command = "choco.exe $($words -join ' ')"
        $answer.stdout = Invoke-Choco $words $good
    }
}

function Wrong-Version([string]$package) { $version -and $installed[$package] -and $installed[$package] -notcontains $version }

function Require-Versions {
    foreach ($package in $names) {
        if ((Wrong-Version $package) -and -not $force -and -not $allow_multiple) {
            throw "Chocolatey package '$package' is already installed with version(s) '$($installed[$package] -join "', '")' but was expecting '$version'. Either change the expected version, or set state to latest or downgrade, or force to true"
        }
    }
}

# Those of which a newer version is there; asked without changing anything.
function Find-Outdated([string[]]$packages) {
    if (-not $packages) { return }
    $words = @('upgrade') + $packages + @('--noop', '--yes') + $options
    if ($version) { $words += '--version', $version }
    $rows = Read-Table $words
    foreach ($row in $rows) { if ($row.cells.Count -ge 3 -and $row.cells[1] -ne $row.cells[2]) { $row.cells[0] } }
}

function Set-Pins {
    $pins = @{}
    foreach ($row in Read-Table @('pin', 'list')) { $pins[$row.cells[0]] = $row.cells[1] }
    foreach ($package in $names) {
        $is = $pins.ContainsKey($package) -and (-not $version -or $pins[$package] -eq $version)
        if ($is -eq $pinned) { continue }
        $words = @('pin', $(if ($pinned) { 'add' } else { 'remove' }), '--name', $package)
        if ($version) { $words += '--version', $version }
        Change { $null = Invoke-Choco $words }
    }
}

$answer.changed = $false
$answer.rc = 0
$installed = @{}
if ($choco) { $installed = Read-Installed }
else {
    Install-Chocolatey
    $choco = Find-Choco
    if ($choco) { $installed = Read-Installed } elseif (-not $check) { throw "The script $bootstrap ended, and choco.exe still isn't there" }
}
$all = $names.Count -eq 1 -and $names[0] -eq 'all'
if ($all) { $names = @($installed.Keys) }
$names = @($names | Where-Object { $_ -ne 'chocolatey' -or $state -ne 'present' })
$there = @($names | Where-Object { $installed.ContainsKey($_) })
$missing = @($names | Where-Object { -not $installed.ContainsKey($_) })
switch ($state) {
    'absent' { Run 'uninstall' @($there | Where-Object { -not (Wrong-Version $_) }) $remove_options @(0, 1605, 1614, 1641, 3010) }
    'reinstalled' {
        Run 'uninstall' $there $remove_options @(0, 1605, 1614, 1641, 3010)
        Run 'install' $names '--force'
    }
    'present' {
        Require-Versions
        $wanted = if ($force) { $names } elseif ($allow_multiple) { @($names | Where-Object { $installed[$_] -notcontains $version -and ($version -or $_ -in $missing) }) } else { $missing }
        Run 'install' $wanted
    }
    default {
        Run 'install' $missing
        $more = @(if ($state -eq 'downgrade') { '--allow-downgrade' })
        $old = if ($state -eq 'downgrade') { @($there | Where-Object { Wrong-Version $_ }) } else { @(Find-Outdated $there) }
        Run 'upgrade' $(if ($force) { $there } else { $old }) $more
    }
}
if ($null -ne $pinned -and $state -ne 'absent' -and $choco) { Set-Pins }
$answer.reboot_required = $answer.rc -in 1641, 3010
