# What several scripts share. They fill $answer, which goes back as one line of JSON; a thrown text is the failure.

# A path as the author wrote it comes with the names below it, which are data, as does a path that is no pair.
function Full($path) {
    if ($path -is [array]) { $path = [Environment]::ExpandEnvironmentVariables($path[0]) + $path[1] }
    [IO.Path]::GetFullPath([IO.Path]::Combine((Get-Location -PSProvider FileSystem).ProviderPath, $path))
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
    [void][IO.Directory]::CreateDirectory($path)
    $answer.changed = $true
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
