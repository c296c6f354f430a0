# choco.exe 2.x: list, install, upgrade, uninstall, pin, config, feature, source, with --limit-output.
function Reset-Chocolatey {
    [AppDomain]::CurrentDomain.SetData('Chocolatey', @{
            version  = '2.3.0'
            packages = @{ git = '2.40.0' }
            offered  = @{ git = '2.45.1'; curl = '8.7.1'; nano = '7.2' }
            pins     = @{}
            config   = @{ cacheLocation = ''; proxy = '' }
            features = @{ allowGlobalConfirmation = 'Disabled'; checksumFiles = 'Enabled' }
            sources  = [ordered]@{ chocolatey = @{ source = 'https://community.chocolatey.org/api/v2/'; disabled = 'False'; user = ''; cert = ''; priority = '0'; 'bypass-proxy' = 'False'; 'allow-self-service' = 'False'; 'admin-only' = 'False' } }
        })
}

function Get-Chocolatey { [AppDomain]::CurrentDomain.GetData('Chocolatey') }

function choco.exe {
    $Choco = Get-Chocolatey
    $global:LASTEXITCODE = 0
    $words = @($args | ForEach-Object { $_ })
    if ($words[0] -eq '--version') { return $Choco.version }
    $valued = '--version', '--source', '--name', '--value', '--user', '--password', '--cert', '--certpassword', '--priority', '--execution-timeout', '--proxy', '--proxy-user', '--proxy-password', '--package-parameters', '--install-arguments', '--download-checksum', '--download-checksum-type'
    $option, $plain = @{}, @()
    for ($i = 1; $i -lt $words.Count; $i++) {
        if ($words[$i] -in $valued) { $option[$words[$i]] = $words[$i + 1]; $i++ }
        elseif ($words[$i].StartsWith('--')) { $option[$words[$i]] = $true }
        else { $plain += $words[$i] }
    }
    if ($words[0] -in 'install', 'upgrade', 'uninstall' -and -not $option['--yes']) { $global:LASTEXITCODE = 1; return 'Do you want to run the script?' }
    switch ($words[0]) {
        'list' {
            if ($option['--local-only']) { $global:LASTEXITCODE = 1; return 'Invalid argument --local-only. This argument has been removed from the list command and cannot be used.' }
            $Choco.packages.Keys | ForEach-Object { "$_|$($Choco.packages[$_])" }
        }
        { $_ -in 'install', 'upgrade' } {
            foreach ($name in $plain) {
                if (-not $Choco.offered[$name]) { $global:LASTEXITCODE = 1; return "$name not installed. The package was not found with the source(s) listed." }
                $new = if ($option['--version']) { $option['--version'] } else { $Choco.offered[$name] }
                $old = $Choco.packages[$name]
                if ($option['--noop']) { "$name|$old|$new|false"; continue }
                if ($words[0] -eq 'upgrade' -and $old -and [version]$new -lt [version]$old -and -not $option['--allow-downgrade']) { $global:LASTEXITCODE = 1; return "A newer version of $name (v$old) is already installed." }
                if ($words[0] -eq 'install' -and $old -and -not $option['--force']) { return "$name v$old already installed. Use --force to reinstall." }
                $Choco.packages[$name] = $new
            }
            "Chocolatey installed $($plain.Count)/$($plain.Count) packages."
            if ($plain -contains 'nano') { $global:LASTEXITCODE = 3010 }
        }
        'uninstall' { foreach ($name in $plain) { $Choco.packages.Remove($name) }; "Chocolatey uninstalled $($plain.Count)/$($plain.Count) packages." }
        'pin' {
            switch ($plain[0]) {
                'list' { $Choco.pins.Keys | ForEach-Object { "$_|$($Choco.pins[$_])" } }
                'add' { $Choco.pins[$option['--name']] = $Choco.packages[$option['--name']] }
                'remove' { $Choco.pins.Remove($option['--name']) }
            }
        }
        'config' {
            switch ($plain[0]) {
                'list' { $Choco.config.Keys | ForEach-Object { "$_|$($Choco.config[$_])|what it is for" } }
                'set' { $Choco.config[$option['--name']] = $option['--value'] }
                'unset' { $Choco.config[$option['--name']] = '' }
            }
        }
        'feature' {
            switch ($plain[0]) {
                'list' { $Choco.features.Keys | ForEach-Object { "$_|$($Choco.features[$_])|what it does" } }
                'enable' { $Choco.features[$option['--name']] = 'Enabled' }
                'disable' { $Choco.features[$option['--name']] = 'Disabled' }
            }
        }
        'source' {
            $of = $option['--name']
            switch ($plain[0]) {
                'list' { foreach ($each in $Choco.sources.Keys) { $row = $Choco.sources[$each]; $each, $row.source, $row.disabled, $row.user, $row.cert, $row.priority, $row.'bypass-proxy', $row.'allow-self-service', $row.'admin-only' -join '|' } }
                'add' {
                    if (-not $option['--source']) { $global:LASTEXITCODE = 1; return 'When specifying the subcommand ''add'', you must also specify --source.' }
                    $row = @{ source = $option['--source']; disabled = 'False'; user = "$($option['--user'])"; cert = "$($option['--cert'])"; priority = $(if ($option['--priority']) { $option['--priority'] } else { '0' }) }
                    foreach ($flag in 'bypass-proxy', 'allow-self-service', 'admin-only') { $row[$flag] = "$([bool]$option["--$flag"])" }
                    $Choco.sources[$of] = $row
                }
                'remove' { $Choco.sources.Remove($of) }
                'enable' { $Choco.sources[$of].disabled = 'False' }
                'disable' { $Choco.sources[$of].disabled = 'True' }
            }
        }
    }
}

if (-not [AppDomain]::CurrentDomain.GetData('Chocolatey')) { Reset-Chocolatey }
