# Brings $line into the file $path, or takes lines out of it: those that match $regex, or that equal $line.
# $after and $before are expressions, EOF or BOF; $unix says how lines end; $encoding is a name, or auto.

# The encoding that the file's first bytes name; UTF-8 without such bytes where they name none.
function Find-Encoding([byte[]]$bytes) {
    if ($encoding -ne 'auto') { return [Text.Encoding]::GetEncoding($encoding) }
    $known = [Text.UTF32Encoding]::new($false, $true), [Text.UTF32Encoding]::new($true, $true), [Text.UTF8Encoding]::new($true), [Text.UnicodeEncoding]::new($false, $true), [Text.UnicodeEncoding]::new($true, $true)
    foreach ($one in $known) {
        $mark = $one.GetPreamble()
        if ($bytes.Length -ge $mark.Length -and -not (Compare-Object $mark $bytes[0..($mark.Length - 1)] -SyncWindow 0)) { return $one }
    }
    [Text.UTF8Encoding]::new($false)
}

function Read-Bytes {
    $stream = Open $path
    try {
        $bytes = [byte[]]::new($stream.Length)
        $at = 0
        while ($at -lt $bytes.Length) {
            $count = $stream.Read($bytes, $at, $bytes.Length - $at)
            if (-not $count) { break }
            $at += $count
        }
        , $bytes
    }
    finally { $stream.Dispose() }
}

function Is-Match([string]$text) { if ($regex) { $expression.IsMatch($text) } else { $text -ceq $line } }

# The number of the last line for which the test holds, or -1.
function Find-Last([scriptblock]$test) {
    for ($i = $lines.Count - 1; $i -ge 0; $i--) { if (& $test $lines[$i]) { return $i } }
    -1
}

function Add-Line {
    $found = Find-Last { Is-Match $args[0] }
    if ($found -ge 0) {
        $new = if ($backrefs) { $expression.Replace($lines[$found], $line) } else { $line }
        if ($lines[$found] -ceq $new) { return '' }
        $lines[$found] = $new
        return 'line replaced'
    }
    if ($backrefs) { return '' }
    $place = $lines.Count
    if ('BOF' -in $before, $after) { $place = 0 }
    elseif ($before -or ($after -and $after -ne 'EOF')) {
        $beside = [regex]::new("$(if ($before) { $before } else { $after })")
        $other = Find-Last { $beside.IsMatch($args[0]) }
        if ($other -ge 0) { $place = $other + [int](-not $before) }
    }
    $lines.Insert($place, $line)
    'line added'
}

function Remove-Lines {
    $answer.found = $lines.RemoveAll({ param($text) Is-Match $text })
    "$($answer.found) line(s) removed"
}

# Runs $validate on the file, without any shell.
function Validate([string]$file) {
    if (-not $validate) { return }
    $words = $validate.Replace('%s', $file).Split([char[]]' ', 2)
    $start = [Diagnostics.ProcessStartInfo]::new($words[0], "$($words[1])")
    $start.UseShellExecute = $false
    $start.RedirectStandardOutput = $start.RedirectStandardError = $true
    $process = [Diagnostics.Process]::Start($start)
    $errors = $process.StandardError.ReadToEndAsync()
    $said = $process.StandardOutput.ReadToEnd() + $errors.Result
    $process.WaitForExit()
    if ($process.ExitCode) { throw "failed to validate with '$validate' (exit code $($process.ExitCode)): $($said.Trim())" }
}

function Write-Lines([string]$text, $codec) {
    $temporary = Beside $path
    try {
        [IO.File]::WriteAllText($temporary, $text, $codec)
        Validate $temporary
        if ($exists) { [IO.File]::Replace($temporary, $path, [NullString]::Value) } else { [IO.File]::Move($temporary, $path) }
    }
    finally { [IO.File]::Delete($temporary) }
}

$path = Full $path
$answer.changed = $false
$answer.backup = ''
if ([IO.Directory]::Exists($path)) { throw "Path $path is a directory" }
$exists = [IO.File]::Exists($path)
if (-not $exists -and -not ($create -and $present)) { throw "Path $path does not exist !" }
$bytes = [byte[]]@()
if ($exists) { $bytes = Read-Bytes }
$codec = Find-Encoding $bytes
$mark = $codec.GetPreamble().Length
if ($encoding -ne 'auto' -and -not ($bytes.Length -ge $mark -and $codec.GetString($bytes, 0, $mark) -eq [string][char]0xFEFF)) { $mark = 0 }
$old = $codec.GetString($bytes, $mark, $bytes.Length - $mark)
$ended = $old -match '[\r\n]\z'
$lines = [Collections.Generic.List[string]]@()
$reader = [IO.StringReader]::new($old)
while ($null -ne ($each = $reader.ReadLine())) { $lines.Add($each) }
if ($regex) { $expression = [regex]::new($regex) }
$message = if ($present) { Add-Line } else { Remove-Lines }
$answer.msg = $message
$answer.encoding = $codec.WebName
if (-not $message -or ($null -ne $answer.found -and $answer.found -eq 0)) { return }
$end = if ($unix) { "`n" } else { "`r`n" }
$new = ($lines -join $end) + $(if ($ended -and $lines.Count) { $end })
if ($diff) { $answer.before_text, $answer.after_text = $old, $new }
Change {
    if ($backup -and $exists) {
        $answer.backup_file = "$path.$PID.$([DateTime]::Now.ToString('yyyyMMdd-HHmmss')).bak"
        [IO.File]::Copy($path, $answer.backup_file)
    }
    Write-Lines $new $codec
}
