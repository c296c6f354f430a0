# The warm PowerShell: reads requests from its standard input, runs them one after the other, and marks the end
# of each on both output streams. It keeps to what Windows PowerShell 5.1 knows.
#
#   request   one line: base64 of the deflated head, a space, base64 of the bytes for the command's standard input.
#             The head is UTF-8 text, its fields divided by NUL: nonce, kind, directory, id of a library, the
#             library (empty when it was sent before), number of environment variables, NAME=VALUE for each, and all
#             the rest is the text. A script finds the functions of its library defined.
#   output    whatever the command writes, untouched, because it writes to this process's own streams.
#   end       NUL nonce LF on stderr; NUL nonce SPACE code SPACE detail LF on stdout. `code` is a signed 32-bit number.
#
# Kinds: powershell, cmd, exec (run the text), put and get (the text is a path). After a put follow the file's pieces,
# each a line "+LENGTH" and that many bytes as they are, and then a line "= SHA256", or "= -" when it is given up; both
# transfers give the SHA-256 as the end's detail. The directory of a put is the name, beside the file, that it has until it
# is whole.
#
# A request whose line ends in " hold" is made ready, and waits for a word before it starts:
#   note      NUL + nonce SPACE word SPACE ticks LF on stdout. The word is `staged` when it waits, `started` right before
#             it starts; ticks are the host's clock, UTC, in units of 100 ns since the year 1. One that can't be made
#             ready ends without a note.
#   word      "= nonce go", "= nonce go TICKS" (when this clock shows that), "= nonce drop". Between two requests, and
#             with another nonce, a line that begins with "=" means nothing.

$utf8 = New-Object Text.UTF8Encoding $false
try { [Console]::OutputEncoding = $utf8; [Console]::InputEncoding = $utf8 } catch { }
# Formatted text is cut and wrapped at the width of a console that no one looks at. It is as low as can be, since the
# host keeps every cell of it in memory.
try {
    $console = $Host.UI.RawUI
    $console.BufferSize = New-Object Management.Automation.Host.Size 512, $console.WindowSize.Height
} catch { }
# Read from the stream itself, since pieces of files are no text. Nothing was sent yet that could be in the reader.
$stdin = $reader.BaseStream
$ascii = [Text.Encoding]::ASCII
$pool = New-Object byte[] 524288
$from = $till = 0

# More input in the pool, which is empty; false at the end of all input.
function Read-More {
    $script:from = 0
    $script:till = $stdin.Read($pool, 0, $pool.Length)
    $till -gt 0
}

# The next line, or null at the end of all input.
function Read-Line {
    $begun = $null
    while ($from -lt $till -or (Read-More)) {
        $size = [Array]::IndexOf($pool, [byte]10, $from, $till - $from) - $from
        $text = $ascii.GetString($pool, $from, $(if ($size -lt 0) { $till - $from } else { $size }))
        if ($size -ge 0) {
            $script:from += $size + 1
            if ($null -eq $begun) { return $text }
            return $begun.Append($text).ToString()
        }
        if ($null -eq $begun) { $begun = New-Object Text.StringBuilder }
        [void]$begun.Append($text)
        $script:from = $till
    }
}

$stdout = [Console]::OpenStandardOutput()
$stderr = [Console]::OpenStandardError()

# Programs that a script starts inherit this process's standard input. It is replaced by an empty file, so that they
# find its end at once and never a request. And .NET Framework's clock moves in steps of up to 16 ms, Windows' precise one
# does not. .NET has no names for these calls; where they are forbidden all else works.
$kernel = $null
try {
    $name = New-Object Reflection.AssemblyName 'Drumline'
    $assembly = [Reflection.Emit.AssemblyBuilder]::DefineDynamicAssembly($name, 'Run')
    $builder = $assembly.DefineDynamicModule('Drumline').DefineType('Drumline.Kernel', 'Public,Class')
    $method = $builder.DefinePInvokeMethod('SetStdHandle', 'kernel32.dll', 'Public,Static,PinvokeImpl', 'Standard',
        [bool], [type[]]@([int], [IntPtr]), 'Winapi', 'Unicode')
    $method.SetImplementationFlags('PreserveSig')
    $method = $builder.DefinePInvokeMethod('GetSystemTimePreciseAsFileTime', 'kernel32.dll',
        'Public,Static,PinvokeImpl', 'Standard', [void], [type[]]@([long].MakeByRefType()), 'Winapi', 'Unicode')
    $method.SetImplementationFlags('PreserveSig')
    $kernel = $builder.CreateType()
} catch { }

function New-Input([byte[]]$bytes) {
    $path = Join-Path ([IO.Path]::GetTempPath()) ('drumline-' + [Guid]::NewGuid().ToString('N'))
    $file = New-Object IO.FileStream $path, 'CreateNew', 'ReadWrite', 'ReadWrite, Delete, Inheritable', 1,
        ([IO.FileOptions]::DeleteOnClose)
    $file.Write($bytes, 0, $bytes.Length)
    $file.Position = 0
    $file
}

function Set-Input($file) {
    if ($kernel -and $file) { [void]$kernel::SetStdHandle(-10, $file.SafeFileHandle.DangerousGetHandle()) }
}

$nothing = $null
try { $nothing = New-Input @() } catch { }
try { Set-Input $nothing } catch { $kernel = $null }

$state = [Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
foreach ($pair in @('ProgressPreference', 'SilentlyContinue'), @('OutputEncoding', $utf8)) {
    $entry = New-Object Management.Automation.Runspaces.SessionStateVariableEntry $pair[0], $pair[1], ''
    $state.Variables.Add($entry)
}
$settings = New-Object Management.Automation.PSInvocationSettings
# `exit` then arrives here as an exception that carries the code.
$settings.ExposeFlowControlExceptions = $true

function New-Room {
    $room = [Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($Host, $state)
    $room.ThreadOptions = 'UseCurrentThread'
    $room.Open()
    $room
}

function Write-Text($stream, [string]$text) {
    $bytes = $utf8.GetBytes($text)
    $stream.Write($bytes, 0, $bytes.Length)
    $stream.Flush()
}

# Windows knows its precise clock since Windows Server 2012; its ticks count from the year 1601.
function Get-PreciseTicks {
    $ticks = [long]0
    $kernel::GetSystemTimePreciseAsFileTime([ref]$ticks)
    $ticks + 504911232000000000
}

function Get-PlainTicks { [DateTime]::UtcNow.Ticks }

# Trying it out takes some 30 ms, which only a request that is held back has to spend.
$clock = ''
function Find-Clock { try { [void](Get-PreciseTicks); 'Get-PreciseTicks' } catch { 'Get-PlainTicks' } }

function Write-Note($word) { Write-Text $stdout "$([char]0)+$nonce $word $(& $clock)`n" }

# A sleep lasts up to 16 ms too long on one Windows and 1 ms on another, and the clock may be set meanwhile. Only what no
# sleep can hit is waited for awake, since that takes a processor.
function Wait-Ticks([long]$ticks) {
    $thread = [Threading.Thread]::CurrentThread
    $priority = $thread.Priority
    $thread.Priority = 'Highest'
    $step = 0
    while (($left = $ticks - ($now = & $clock)) -gt 0) {
        $margin = if ($step) { $step + 10000 } else { 200000 }
        if ($left -gt 600000) {
            [Threading.Thread]::Sleep([int][Math]::Min(1000, $left / 10000 - 50))
        } elseif ($left -gt $margin) {
            [Threading.Thread]::Sleep(1)
            $step = [Math]::Max($step, (& $clock) - $now)
        }
    }
    $thread.Priority = $priority
}

# Where a request is held back that waits for its word.
function Wait-Word {
    if (-not $held) { return }
    if (-not $clock) { $script:clock = Find-Clock }
    Write-Note 'staged'
    do { $line = Read-Line } until ($null -eq $line -or $line.StartsWith("= $nonce ", 'Ordinal'))
    if ($null -eq $line) { [Environment]::Exit(0) }
    $word, $ticks = $line.Substring($nonce.Length + 3).Split(' ')
    if ($word -ne 'go') { throw 'It was given up.' }
    if ($ticks) { Wait-Ticks $ticks }
    Write-Note 'started'
}

function Get-Cause($fault) {
    $cause = $fault.Exception
    while ($cause.InnerException) { $cause = $cause.InnerException }
    $cause
}

function New-Shell($room) {
    $shell = [Management.Automation.PowerShell]::Create()
    $shell.Runspace = $room
    $shell
}

# An error as PowerShell itself would print it.
function Write-Fault($room, $cause) {
    $record = $cause
    if ($cause.ErrorRecord) { $record = $cause.ErrorRecord }
    $shell = New-Shell $room
    [void]$shell.AddCommand('Out-String').AddParameter('InputObject', $record).AddParameter('Width', 512)
    $text = (-join $shell.Invoke()).Trim()
    if (-not $text) { $text = $cause.Message }
    Write-Text $stderr ($text + [Environment]::NewLine)
}

# Whether the last statement succeeded is known only inside the script. The empty line ends one that goes on.
function Add-Question($text) {
    $tokens = $faults = $null
    $tree = [Management.Automation.Language.Parser]::ParseInput($text, [ref]$tokens, [ref]$faults)
    if ($faults.Count -or -not $tree.EndBlock.Unnamed) { return $text }
    "$text`n`n`$global:drumline = `$?"
}

# The exit code of a script, by the rules of `powershell -Command`.
function Invoke-Script($room, $text, $directory, [byte[]]$bytes) {
    $lines = @()
    $file = $null
    try {
        if ($bytes.Length) {
            $lines = $utf8.GetString($bytes).TrimEnd("`n").Split("`n") | ForEach-Object { $_.TrimEnd("`r") }
            $file = New-Input $bytes
            Set-Input $file
            [Console]::SetIn((New-Object IO.StreamReader $file, $utf8))
        } else {
            [Console]::SetIn([IO.TextReader]::Null)
        }
        if ($directory) {
            $shell = New-Shell $room
            [void]$shell.AddCommand('Set-Location').AddParameter('LiteralPath', $directory)
            [void]$shell.AddParameter('ErrorAction', 'Stop').Invoke()
        }
        $script = Add-Question $text
        # What is parsed here is kept, and not parsed again; a mistake in it is told before anything waits.
        if ($held) { [void][ScriptBlock]::Create($script) }
        $shell = New-Shell $room
        [void]$shell.AddScript($script).AddCommand('Out-Default')
        $shell.Commands.Commands[1].MergeUnclaimedPreviousCommandResults = 'Error,Output'
        Wait-Word
        [void]$shell.Invoke([string[]]$lines, $settings)
        if ($room.SessionStateProxy.GetVariable('drumline') -eq $false) { 1 } else { 0 }
    } catch {
        $cause = $_.Exception
        if ($cause.InnerException) { $cause = $cause.InnerException }
        if ($cause -is [Management.Automation.ExitException]) {
            if ($cause.Argument -is [int]) { $cause.Argument } else { 0 }
        } else {
            Write-Fault $room $cause
            1
        }
    } finally {
        Set-Input $nothing
        if ($file) { $file.Dispose() }
    }
}

function Start-Program($program, $arguments, $directory) {
    $start = New-Object Diagnostics.ProcessStartInfo $program, $arguments
    $start.UseShellExecute = $false
    $start.RedirectStandardInput = $true
    $start.RedirectStandardOutput = $true
    $start.RedirectStandardError = $true
    if ($directory) { $start.WorkingDirectory = $directory }
    [Diagnostics.Process]::Start($start)
}

# Input and both outputs byte for byte, side by side. Output that a process in the background holds open after the
# program has ended is waited for while it flows, and a second longer.
function Copy-Streams($process, [byte[]]$bytes) {
    $stdin = $process.StandardInput.BaseStream
    $flows = @(
        @{ From = $process.StandardOutput.BaseStream; To = $stdout; Buffer = New-Object byte[] 65536 },
        @{ From = $process.StandardError.BaseStream; To = $stderr; Buffer = New-Object byte[] 65536 }
    )
    foreach ($flow in $flows) { $flow.Task = $flow.From.ReadAsync($flow.Buffer, 0, 65536) }
    if ($bytes.Length) { $flows += @{ Task = $stdin.WriteAsync($bytes, 0, $bytes.Length) } } else { $stdin.Close() }
    while ($flows) {
        $ready = [Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]]@($flows | ForEach-Object { $_.Task }), 1000)
        if ($ready -lt 0) {
            if (-not $process.HasExited) { continue }
            foreach ($flow in $flows) { if ($flow.From) { [void]$flow.From.CopyToAsync([IO.Stream]::Null) } }
            return
        }
        $flow = @($flows)[$ready]
        $size = 0
        if ($flow.From) { $size = $flow.Task.Result } else { try { $stdin.Close() } catch { } } # It may not read all.
        if ($size) {
            $flow.To.Write($flow.Buffer, 0, $size)
            $flow.Task = $flow.From.ReadAsync($flow.Buffer, 0, 65536)
        } else {
            $flows = @($flows | Where-Object { $_ -ne $flow })
        }
    }
}

# Looks where CreateProcess does, and fails as it does.
function Find-Program($program) {
    $here = [Environment]::CurrentDirectory
    $windows = [Environment]::GetFolderPath('Windows')
    $directories = @($PSHOME, $here, [Environment]::SystemDirectory, "$windows\System", $windows) + $env:Path.Split(';')
    if ($program -match '[\\/:]') { $directories = @($here) }
    foreach ($directory in $directories) {
        foreach ($name in $program, "$program.exe") {
            try { if ([IO.File]::Exists([IO.Path]::Combine($directory.Trim('"'), $name))) { return } } catch { }
        }
    }
    throw (New-Object ComponentModel.Win32Exception 2)
}

function Invoke-Program($program, $arguments, $directory, [byte[]]$bytes) {
    try {
        if ($directory) { [Environment]::CurrentDirectory = $directory }
        if ($held) { Find-Program $program }
        Wait-Word
        $process = Start-Program $program $arguments $directory
    } catch {
        $cause = Get-Cause $_
        Write-Text $stderr ($program + ': ' + $cause.Message + [Environment]::NewLine)
        if ($cause.NativeErrorCode) { return $cause.NativeErrorCode } else { return 1 }
    }
    Copy-Streams $process $bytes
    $process.WaitForExit()
    $process.ExitCode
    $process.Dispose()
}

function Invoke-Line($text, $directory, $bytes) {
    if ($text -match '^\s*"([^"]*)"\s*(.*)$' -or $text -match '^\s*(\S+)\s*(.*)$') {
        Invoke-Program $Matches[1] $Matches[2] $directory $bytes
    } else {
        Write-Text $stderr ('The command line is empty.' + [Environment]::NewLine)
        1
    }
}

function ConvertTo-Hex([byte[]]$bytes) { [BitConverter]::ToString($bytes).Replace('-', '').ToLowerInvariant() }

function Get-FullPath($path) { $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($path) }

# Takes one piece of a file, to its end whatever happens to the file; a file that failed, or null, is passed over.
function Save-Piece([int]$left, $upload) {
    while ($left -gt 0) {
        if ($from -eq $till -and -not (Read-More)) { [Environment]::Exit(0) }
        $size = [Math]::Min($left, $till - $from)
        if ($upload -and -not $upload.Fault) {
            try {
                [void]$upload.Sha.TransformBlock($pool, $from, $size, $null, 0)
                $upload.File.Write($pool, $from, $size)
            } catch { $upload.Fault = Get-Cause $_ }
        }
        $script:from += $size
        $left -= $size
    }
}

# Passes over the pieces of a file to the line behind them.
function Skip-File {
    while ($null -ne ($line = Read-Line) -and $line[0] -ne '=') { Save-Piece $line.Substring(1) }
}

# Every piece is read, whatever happens, because the next request stands behind the last one. A later run may delete what a
# lost one still has open here.
function Save-File($path, $name) {
    $temporary = $null
    $upload = @{ File = $null; Fault = $null; Sha = [Security.Cryptography.SHA256]::Create() }
    try {
        $path = Get-FullPath $path
        if ([IO.Directory]::Exists($path)) { throw "$path is a directory." }
        $temporary = [IO.Path]::Combine([IO.Path]::GetDirectoryName($path), $name)
        $upload.File = New-Object IO.FileStream $temporary, 'CreateNew', 'Write', 'Delete', 65536
    } catch { $upload.Fault = Get-Cause $_ }
    while ($true) {
        $line = Read-Line
        if ($null -eq $line) { [Environment]::Exit(0) }
        if ($line[0] -eq '=') { break }
        Save-Piece $line.Substring(1) $upload
    }
    try {
        if ($upload.File) { $upload.File.Dispose() }
        if ($upload.Fault) { throw $upload.Fault }
        if ($line -eq '= -') { throw 'It was given up.' }
        [void]$upload.Sha.TransformFinalBlock((New-Object byte[] 0), 0, 0)
        $script:detail = ConvertTo-Hex $upload.Sha.Hash
        if ($detail -ne $line.Substring(2)) { throw 'What arrived is not what was sent: the checksums differ.' }
        if ([IO.File]::Exists($path)) {
            [IO.File]::Replace($temporary, $path, [NullString]::Value)
        } else {
            [IO.File]::Move($temporary, $path)
        }
        0
    } catch {
        Write-Text $stderr ((Get-Cause $_).Message + [Environment]::NewLine)
        if ($temporary) { try { [IO.File]::Delete($temporary) } catch { } }
        1
    }
}

function Send-File($path) {
    $file = $null
    try {
        $file = New-Object IO.FileStream (Get-FullPath $path), 'Open', 'Read', 'ReadWrite, Delete', 65536
        $sha = [Security.Cryptography.SHA256]::Create()
        $buffer = New-Object byte[] 65536
        while ($size = $file.Read($buffer, 0, $buffer.Length)) {
            [void]$sha.TransformBlock($buffer, 0, $size, $null, 0)
            $stdout.Write($buffer, 0, $size)
        }
        [void]$sha.TransformFinalBlock($buffer, 0, 0)
        $script:detail = ConvertTo-Hex $sha.Hash
        0
    } catch {
        Write-Text $stderr ((Get-Cause $_).Message + [Environment]::NewLine)
        1
    } finally {
        if ($file) { $file.Dispose() }
    }
}

function Read-Head([string]$word) {
    $packed = New-Object IO.MemoryStream (, [Convert]::FromBase64String($word))
    $inflate = New-Object IO.Compression.DeflateStream $packed, ([IO.Compression.CompressionMode]::Decompress)
    (New-Object IO.StreamReader $inflate, $utf8).ReadToEnd()
}

function Restore-Surroundings {
    [Console]::SetOut($console_out)
    [Console]::SetError($console_error)
    [Environment]::CurrentDirectory = $home_directory
    $now = [Environment]::GetEnvironmentVariables()
    foreach ($name in @($now.Keys)) {
        if ($now[$name] -cne $surroundings[$name]) { [Environment]::SetEnvironmentVariable($name, $surroundings[$name]) }
    }
    foreach ($name in $surroundings.Keys) {
        if (-not $now.ContainsKey($name)) { [Environment]::SetEnvironmentVariable($name, $surroundings[$name]) }
    }
}

$console_out = [Console]::Out
$console_error = [Console]::Error
$home_directory = [Environment]::CurrentDirectory
$surroundings = @{}
foreach ($item in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $surroundings[$item.Key] = $item.Value }
$room = New-Room
$system = if ($env:ComSpec) { 'windows' } else { 'other' }
Write-Text $stdout "drumline ready $system $($PSVersionTable.PSVersion)`n"
$last = ''
$libraries = @{}

while ($null -ne ($line = Read-Line)) {
    if ($line[0] -eq '=') { continue }
    $words = $line.Split(' ')
    $held = $words[2] -eq 'hold'
    $fields = (Read-Head $words[0]).Split([char[]]@([char]0), 7)
    $nonce, $kind, $directory, $id, $library, $count, $rest = $fields
    # A request whose answer was lost is sent again; it must not be run again.
    if ($nonce -eq $last) {
        if ($kind -eq 'put') { Skip-File }
        continue
    }
    $last = $nonce
    $parts = $rest.Split([char[]]@([char]0), [int]$count + 1)
    for ($index = 0; $index -lt [int]$count; $index++) {
        $name, $value = $parts[$index].Split([char[]]'=', 2)
        [Environment]::SetEnvironmentVariable($name, $value)
    }
    $text = $parts[[int]$count]
    if ($library) { $libraries[$id] = $library }
    if ($id) { $text = "$($libraries[$id])`n$text" }
    $bytes = [Convert]::FromBase64String($words[1])
    $detail = ''
    $code = switch ($kind) {
        'powershell' { Invoke-Script $room $text $directory $bytes }
        'cmd' { Invoke-Program $env:ComSpec "/d /s /c `"$text`"" $directory $bytes }
        'exec' { Invoke-Line $text $directory $bytes }
        'put' { Save-File $text $directory }
        'get' { Send-File $text }
    }
    Restore-Surroundings
    Write-Text $stderr "$([char]0)$nonce`n"
    Write-Text $stdout "$([char]0)$nonce $(@($code)[-1]) $detail`n"
    if ($kind -eq 'powershell') {
        $room.Dispose()
        $room = New-Room
    }
}
