# Starts $text in the background: $jid, $limit in seconds, $known as JSON for later, $given for its input, and how it is read, $language.
$jobs = if ($env:ANSIBLE_ASYNC_DIR) { $env:ANSIBLE_ASYNC_DIR } else { Join-Path $env:USERPROFILE '.ansible_async' }
$j = [IO.Path]::Combine([IO.Path]::GetFullPath($jobs), $jid)
$null = [IO.Directory]::CreateDirectory($j)
$shell = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
if ($executable) { $shell = $executable }
$directory = (Get-Location -PSProvider FileSystem).ProviderPath
$own = @{}
foreach ($entry in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $own[[string]$entry.Key] = [string]$entry.Value }
$utf8 = New-Object Text.UTF8Encoding $true
[IO.File]::WriteAllText("$j\known", $known)
[IO.File]::WriteAllText("$j\text.ps1", $text, $utf8)
[IO.File]::WriteAllText("$j\job.json", (ConvertTo-Json @{
    text = $text; language = $language; stdin = $given; shell = $shell; directory = $directory; limit = $limit; own = $own
}), $utf8)
[IO.File]::WriteAllText("$j\runner.ps1", @'
$j = Split-Path -Parent $MyInvocation.MyCommand.Path
$job = [IO.File]::ReadAllText("$j\job.json") | ConvertFrom-Json
foreach ($entry in $job.own.PSObject.Properties) { [Environment]::SetEnvironmentVariable($entry.Name, $entry.Value) }
$info = New-Object Diagnostics.ProcessStartInfo
if ($job.language -eq 'powershell') {
    $info.FileName = $job.shell
    $info.Arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File ""$j\text.ps1"""
}
elseif ($job.language -eq 'cmd') { $info.FileName = $env:ComSpec; $info.Arguments = "/d /s /c ""$($job.text)""" }
else {
    $null = $job.text.Trim() -match '(?s)^("[^"]*"|\S+)\s*(.*)$'
    $info.FileName = $Matches[1].Trim('"')
    $info.Arguments = $Matches[2]
}
$info.UseShellExecute = $false
$info.CreateNoWindow = $true
$info.WorkingDirectory = $job.directory
$info.RedirectStandardInput = $info.RedirectStandardOutput = $info.RedirectStandardError = $true
$out = $err = ''
$code = 1
try {
    $process = [Diagnostics.Process]::Start($info)
    $reading = $process.StandardOutput.ReadToEndAsync(), $process.StandardError.ReadToEndAsync()
    $process.StandardInput.Write($job.stdin)
    $process.StandardInput.Close()
    if (-not $process.WaitForExit(1000 * $job.limit)) {
        [IO.File]::WriteAllText("$j\late", '')
        & taskkill.exe /t /f /pid $process.Id *> $null
        if (-not $process.HasExited) { $process.Kill() }
    }
    $process.WaitForExit()
    $out, $err = $reading[0].Result, $reading[1].Result
    $code = $process.ExitCode
}
catch { $err = "$_" }
[IO.File]::WriteAllText("$j\out", $out)
[IO.File]::WriteAllText("$j\err", $err)
[IO.File]::WriteAllText("$j\code.new", "$code")
[IO.File]::Move("$j\code.new", "$j\code")
foreach ($name in 'job.json', 'text.ps1', 'runner.ps1') { [IO.File]::Delete("$j\$name") }
'@, $utf8)
$run = [Diagnostics.Process]::GetCurrentProcess().MainModule.FileName
$arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -File ""$j\runner.ps1"""
# What a log-in over WinRM starts itself ends with its shell; the service that is asked here starts it outside.
$started = $null
try { $started = Invoke-CimMethod -ClassName Win32_Process -MethodName Create -Arguments @{ CommandLine = """$run"" $arguments" } -ErrorAction Stop }
catch { $started = $null }
if (-not $started -or $started.ReturnValue -ne 0) { $null = Start-Process -FilePath $run -ArgumentList $arguments -WindowStyle Hidden }
$answer.results_file = $j
