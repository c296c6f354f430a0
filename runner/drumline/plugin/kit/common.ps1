# What several scripts share. They fill $answer, which goes back as one line of JSON; a thrown text is the failure.

# A path as the author wrote it comes with the names below it, which are data, as does a path that is no pair.
function Full($path) {
    if ($path -is [array]) { $path = [Environment]::ExpandEnvironmentVariables($path[0]) + $path[1] }
    [IO.Path]::GetFullPath([IO.Path]::Combine((Get-Location -PSProvider FileSystem).ProviderPath, $path))
}

# Change { … }: notes that something changes and, unless this is a check, does it. Whatever changes the host goes through
# it, so that one script both checks and changes.
function Change([scriptblock]$what) {
    $answer.changed = $true
    if (-not $check) { & $what }
}

# A part of the state that changes, for a diff.
function Differs([string]$name, $before, $after) {
    $answer["before.$name"] = $before
    $answer["after.$name"] = $after
}

# Where a diff is wanted, what a file holds, by the $name; NAME_binary or NAME_larger where that can't be shown.
function SayContent([string]$name, [string]$path) {
    if (-not $diff -or -not [IO.File]::Exists($path)) { return }
    if (([IO.FileInfo]$path).Length -gt 104448) { $answer["${name}_larger"] = 1; return }
    $stream = Open $path
    try { $bytes = [byte[]]::new($stream.Length); $null = $stream.Read($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }
    if ([Array]::IndexOf($bytes, [byte]0) -ge 0) { $answer["${name}_binary"] = 1 }
    else { $answer[$name] = [Text.Encoding]::UTF8.GetString($bytes) }
}

# Files that others have open for writing can be read too.
function Open([string]$path) {
    [IO.File]::Open($path, [IO.FileMode]::Open, [IO.FileAccess]::Read, [IO.FileShare]'ReadWrite, Delete')
}

function Sum([string]$algorithm, [string]$path) {
    $hash = switch ($algorithm) {
        'MD5' { [Security.Cryptography.MD5]::Create() }
        'SHA1' { [Security.Cryptography.SHA1]::Create() }
        'SHA256' { [Security.Cryptography.SHA256]::Create() }
        'SHA384' { [Security.Cryptography.SHA384]::Create() }
        'SHA512' { [Security.Cryptography.SHA512]::Create() }
    }
    $stream = Open $path
    try { [BitConverter]::ToString($hash.ComputeHash($stream)).Replace('-', '').ToLowerInvariant() }
    finally { $stream.Dispose(); $hash.Dispose() }
}

function MakeDirectory([string]$path) {
    if ([IO.Directory]::Exists($path)) { return }
    if ([IO.File]::Exists($path)) { throw "$path already exists as a file" }
    Change { [void][IO.Directory]::CreateDirectory($path) }
}

function Beside([string]$path) {
    [IO.Path]::Combine([IO.Path]::GetDirectoryName($path), $own + [IO.Path]::GetRandomFileName())
}

# Tells of names that another drumline of this workstation gave, for the one that asks to see which were left behind.
function LookForLeftovers([string]$directory) {
    $names = foreach ($file in [IO.Directory]::GetFiles($directory, ".drumline-$machine-*")) { [IO.Path]::GetFileName($file) }
    $others = @($names | Where-Object { $_ -and -not $_.StartsWith($own) })
    if ($others.Count -gt 0) {
        $answer.leftovers = $others -join '/'
        $answer.left_in = $directory.TrimEnd('\') + '\'
    }
}
