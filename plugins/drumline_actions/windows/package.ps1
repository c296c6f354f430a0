# Installs the package at $path, or uninstalls it or the product $product_id. $kind: auto, msi, msp or registry;
# $words are arguments, a text or a list; $good the exit codes that mean success.

$places = 'HKLM:\SOFTWARE', 'HKLM:\SOFTWARE\Wow6432Node', 'HKCU:\SOFTWARE', 'HKCU:\SOFTWARE\Wow6432Node'

# What the registry says of an installed product.
function Find-Product([string]$id) {
    foreach ($place in $places) {
        $key = "$place\Microsoft\Windows\CurrentVersion\Uninstall\$id"
        if (Test-Path -LiteralPath $key) { return Get-Item -LiteralPath $key }
    }
}

function Is-Url { $path -match '^(https?|ftp)://' }

# A property of an MSI file.
function Read-Msi([string]$file, [string]$property) {
    $installer = New-Object -ComObject WindowsInstaller.Installer
    $database = $installer.OpenDatabase($file, 0)
    $view = $database.OpenView("SELECT ``Value`` FROM ``Property`` WHERE ``Property`` = '$property'")
    $view.Execute()
    $row = $view.Fetch()
    try { if ($row) { $row.StringData(1) } }
    finally {
        foreach ($object in $row, $view, $database, $installer) { if ($object) { $null = [Runtime.InteropServices.Marshal]::ReleaseComObject($object) } }
    }
}

function Is-Installed([string]$id) {
    if ($kind -eq 'msi' -or $id -match '^\{[0-9a-f-]{36}\}$') {
        $installer = New-Object -ComObject WindowsInstaller.Installer
        try { if ($installer.ProductState($id) -eq 5) { return $true } }
        finally { $null = [Runtime.InteropServices.Marshal]::ReleaseComObject($installer) }
    }
    [bool](Find-Product $id)
}

# Whether all that is to show it is there; $null where nothing was named.
function Is-There {
    $signs = @(
        if ($product_id) { Is-Installed $product_id }
        if ($creates_path) {
            $file = Full $creates_path
            $exists = Test-Path -LiteralPath $file
            if ($creates_version) { $exists -and (Test-Path -LiteralPath $file -PathType Leaf) -and [Diagnostics.FileVersionInfo]::GetVersionInfo($file).FileVersion -eq $creates_version }
            else { $exists }
        }
        if ($creates_service) { [bool](Get-Service -Name $creates_service -ErrorAction SilentlyContinue) }
    )
    if ($signs.Count) { $signs -notcontains $false }
}

# A word as programs read it from their command line.
function Protect-Word([string]$word) {
    if ($word -and $word -notmatch '[\s"]') { return $word }
    '"' + (($word -replace '(\\*)"', '$1$1\"') -replace '(\\+)$', '$1$1') + '"'
}

function Line-Of($words) { if ($words -is [array]) { @($words | ForEach-Object { Protect-Word $_ }) -join ' ' } else { "$words" } }

function Run([string]$program, [string]$line) {
    $start = [Diagnostics.ProcessStartInfo]::new($program, $line.Trim())
    $start.UseShellExecute = $false
    $start.CreateNoWindow = $true
    $start.RedirectStandardOutput = $start.RedirectStandardError = $start.RedirectStandardInput = $true
    if ($chdir) { $start.WorkingDirectory = Full $chdir }
    $process = [Diagnostics.Process]::Start($start)
    $process.StandardInput.Close()
    # What it leaves running may hold on to these.
    $out, $err = $process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync()
    $process.WaitForExit()
    if ($wait) { Wait-Children $process.Id }
    $null = [Threading.Tasks.Task]::WaitAll([Threading.Tasks.Task[]]($out, $err), 2000)
    $answer.rc = $process.ExitCode
    $answer.reboot_required = $process.ExitCode -in 3010, 1641
    if ($process.ExitCode -in $good) { return }
    foreach ($pair in @('stdout', $out), @('stderr', $err)) { if ($pair[1].IsCompleted) { $answer[$pair[0]] = $pair[1].Result } }
    $log = if ($log_file -and [IO.File]::Exists($log_file)) { [IO.File]::ReadAllText($log_file) }
    if ($log) { $answer.log = $log }
    throw "unexpected rc from '$program $line': $($process.ExitCode): $((@($answer.stdout, $answer.stderr, $log) | Where-Object { $_ }) -join "`n")"
}

# The processes that it started, and those that these did, until they are gone.
function Wait-Children([int]$id) {
    foreach ($child in @(Get-CimInstance -ClassName Win32_Process -Filter "ParentProcessId = $id")) {
        $process = Get-Process -Id $child.ProcessId -ErrorAction SilentlyContinue
        if ($process) { $process.WaitForExit() }
        Wait-Children $child.ProcessId
    }
}

function Run-Msi([string]$words) { Run 'msiexec.exe' "$words /log $(Protect-Word $log_file) /qn /norestart $(Line-Of $arguments)" }

# Splits a command line of the registry into its program, whose path may have blanks, and the rest.
function Run-Line([string]$line) {
    $line = [Environment]::ExpandEnvironmentVariables($line.Trim())
    if ($line -match '^"([^"]+)"\s*(.*)$' -or $line -match '(?i)^(.+?\.(?:exe|com|bat|cmd))(?:\s+(.*))?$' -or $line -match '^(\S+)\s*(.*)$') {
        Run $Matches[1] "$($Matches[2]) $(Line-Of $arguments)"
    }
}

function Download {
    $file = [IO.Path]::Combine($work, [IO.Path]::GetFileName([Uri]::UnescapeDataString(([Uri]$path).AbsolutePath)))
    $response = Get-Answer (New-Request $path $url_method)
    try {
        if ($response -is [Net.HttpWebResponse] -and [int]$response.StatusCode -ge 300) { throw "Failed to download '$path': the server answered with $([int]$response.StatusCode)" }
        $stream = $response.GetResponseStream()
        $target = [IO.File]::Create($file)
        try { $stream.CopyTo($target) } finally { $target.Dispose(); $stream.Dispose() }
    }
    finally { $response.Dispose() }
    $file
}

# The file of the package on this host; it is downloaded at most once.
function Get-Package {
    if (-not $got.file) {
        $got.file = if (Is-Url) { Download } else { Full $path }
        if (-not [IO.File]::Exists($got.file)) { throw "The package '$path' can't be found, or isn't visible to this user" }
        if ($checksum) {
            $answer.checksum = Sum $algorithm $got.file
            if ($answer.checksum -ne $checksum) { throw "The checksum of '$path' is $($answer.checksum), not $checksum" }
        }
    }
    $got.file
}

function Kind-Of {
    if ($kind -ne 'auto') { return $kind }
    $name = if (Is-Url) { ([Uri]$path).AbsolutePath } else { $path }
    switch ([IO.Path]::GetExtension($name)) { '.msi' { 'msi' } '.msp' { 'msp' } default { 'registry' } }
}

function Install {
    $file = Get-Package
    switch (Kind-Of) {
        'msi' { Run-Msi "/i $(Protect-Word $file)" }
        'msp' { Run-Msi "/update $(Protect-Word $file)" }
        default { Run $file (Line-Of $arguments) }
    }
}

function Uninstall {
    $product = if ($product_id) { Find-Product $product_id }
    $is_msi = $product_id -match '^\{[0-9a-f-]{36}\}$' -and ($kind -eq 'msi' -or "$(if ($product) { $product.GetValue('UninstallString') })" -match 'msiexec' -or -not $product)
    if ($is_msi) { return Run-Msi "/x $product_id" }
    if ($path) { return Run (Get-Package) (Line-Of $arguments) }
    $line = $product.GetValue('QuietUninstallString')
    if (-not $line) { $line = $product.GetValue('UninstallString') }
    if (-not $line) { throw "The registry has no command that uninstalls '$product_id'; 'path' and 'arguments' can say how" }
    Run-Line $line
}

$answer.changed = $false
$answer.reboot_required = $false
$got = @{}
$work = [IO.Path]::Combine([IO.Path]::GetTempPath(), $own + [IO.Path]::GetRandomFileName())
$null = [IO.Directory]::CreateDirectory($work)
$log_file = if ($log_path) { Full $log_path } else { "$work\log" }
try {
    # An MSI names its product itself, if that can be had without downloading it for nothing.
    $readable = if (Is-Url) { $present -and -not $product_id } else { -not $product_id -or [IO.File]::Exists((Full $path)) }
    if ($path -and (Kind-Of) -eq 'msi' -and $readable) { $product_id = Read-Msi (Get-Package) 'ProductCode' }
    $there = Is-There
    if ($null -eq $there) {
        if (-not $present) { throw "Nothing says what is to be uninstalled: 'product_id' or one of 'creates_path' and 'creates_service' is needed" }
        $there = $false
    }
    if ($there -ne $present) { Change { if ($present) { Install } else { Uninstall } } }
}
finally { [IO.Directory]::Delete($work, $true) }
