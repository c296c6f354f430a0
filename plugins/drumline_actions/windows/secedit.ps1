# secedit.exe and its files: sections of lines KEY = VALUE.

# Runs what is to be done with $work, a directory for those files.
function Use-Directory([scriptblock]$what) {
    $work = [IO.Path]::Combine([IO.Path]::GetTempPath(), $own + [IO.Path]::GetRandomFileName())
    $null = [IO.Directory]::CreateDirectory($work)
    try { & $what } finally { [IO.Directory]::Delete($work, $true) }
}

function Invoke-Secedit([string[]]$words, [int[]]$good = @(0)) {
    $said = (& secedit.exe @words /log "$work\log" /quiet 2>&1 | Out-String).Trim()
    if ([IO.File]::Exists("$work\log")) { $said = "$said`n$([IO.File]::ReadAllText("$work\log"))".Trim() }
    if ($LASTEXITCODE -notin $good) {
        $answer.rc = $LASTEXITCODE
        throw "secedit.exe $($words[0]) ended with exit code ${LASTEXITCODE}: $said"
    }
    $said
}

# The host's settings: values by keys by sections.
function Read-Policy([string[]]$areas) {
    $null = Invoke-Secedit (@('/export', '/cfg', "$work\now.inf") + $areas)
    $found, $keys = @{}, @{}
    foreach ($line in [IO.File]::ReadAllLines("$work\now.inf")) {
        if ($line -match '^\s*\[(.+)\]\s*$') { $keys = $found[$Matches[1]] = @{} }
        elseif ($line -match '^\s*([^;=]+?)\s*=\s*(.*?)\s*$') { $keys[$Matches[1]] = $Matches[2] }
    }
    $found
}

# Sets one. That some attributes were ignored, 3, is no failure of this one: whoever calls it looks again.
function Write-Policy([string]$section, [string]$key, [string]$value, [string[]]$areas) {
    $lines = '[Unicode]', 'Unicode=yes', '[Version]', 'signature="$CHICAGO$"', 'Revision=1', "[$section]", "$key = $value"
    [IO.File]::WriteAllLines("$work\new.inf", [string[]]$lines, [Text.Encoding]::Unicode)
    Invoke-Secedit (@('/configure', '/db', "$work\new.sdb", '/cfg', "$work\new.inf") + $areas) @(0, 3)
}
