# Brings the PowerShell module $name into $state, by PowerShellGet.

$range = @{}
if ($required) { $range.RequiredVersion = $required }
if ($minimum) { $range.MinimumVersion = $minimum }
if ($maximum) { $range.MaximumVersion = $maximum }

# A version without what marks it as not yet released.
function Plain-Version($version) { [version]("$version" -replace '-.*$') }

function Fits($version) {
    $plain = Plain-Version $version
    (-not $required -or $plain -eq (Plain-Version $required)) -and (-not $minimum -or $plain -ge (Plain-Version $minimum)) -and (-not $maximum -or $plain -le (Plain-Version $maximum))
}

$source = @{}
if ($repository) { $source.Repository = $repository }
if ($username) { $source.Credential = [Management.Automation.PSCredential]::new($username, [Net.NetworkCredential]::new('', $password).SecurePassword) }

# 5.1 as it comes knows neither TLS 1.2 by itself nor how to read packages.
function Prepare {
    [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
    $nuget = @(Get-PackageProvider -ListAvailable -ErrorAction SilentlyContinue) | Where-Object { $_.Name -eq 'NuGet' -and $_.Version -ge [version]'2.8.5.201' }
    if ($nuget) { return }
    $answer.nuget_changed = $true
    Change { $null = Install-PackageProvider -Name NuGet -MinimumVersion 2.8.5.201 -Force }
}

function Install([hashtable]$which) {
    $given = @{ Name = $name; Scope = 'AllUsers'; Force = $true } + $source + $which
    if ($prerelease) { $given.AllowPrerelease = $true }
    foreach ($switch in $switches.Keys) { if ($switches[$switch]) { $given[$switch] = $true } }
    $known = (Get-Command Install-Module).Parameters
    if ($known) {
        $lacking = @($given.Keys | Where-Object { -not $known.ContainsKey($_) })
        if ($lacking) { throw "PowerShellGet on this host is too old for: $($lacking -join ', '). Install a newer one first: win_psmodule: {name: PowerShellGet, state: latest}" }
    }
    Change { Install-Module @given }
    $answer.output = "Module $name installed"
}

function Newest {
    $asked = @{ Name = $name } + $source
    if ($prerelease) { $asked.AllowPrerelease = $true }
    (Find-Module @asked).Version
}

$answer.changed = $false
$answer.nuget_changed = $false
$answer.repository_changed = $false
$answer.output = ''
$there = @(Get-Module -ListAvailable -Name $name | ForEach-Object { $_.Version })
switch ($state) {
    'present' {
        if ($force -or -not @($there | Where-Object { Fits $_ })) { Prepare; Install $range }
        else { $answer.output = "Module $name already present" }
    }
    'latest' {
        Prepare
        # Without what reads packages nothing can be looked up; it is missing in a check alone.
        if ($check -and $answer.nuget_changed) { return }
        $newest = Newest
        if (-not @($there | Where-Object { $_ -ge (Plain-Version $newest) })) { Install @{ RequiredVersion = "$newest" } }
    }
    'absent' {
        if (@($there | Where-Object { Fits $_ })) {
            $given = @{ Name = $name; Force = $true }
            if ($range.Count) { $given += $range } else { $given.AllVersions = $true }
            Change { Uninstall-Module @given }
            $answer.output = "Module $name removed"
        }
        else { $answer.output = "Module $name not present" }
    }
}
