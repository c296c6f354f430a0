# choco.exe, and its tables without headings (--limit-output).

function Find-Choco {
    $found = Get-Command choco.exe -ErrorAction SilentlyContinue
    if ($found) { return $found }
    foreach ($place in $env:ChocolateyInstall, "$env:ALLUSERSPROFILE\chocolatey") {
        if ($place -and [IO.File]::Exists("$place\bin\choco.exe")) { return "$place\bin\choco.exe" }
    }
}

# A word in which quotes, and backslashes ahead of them, are escaped as programs read them.
function Protect-Word([string]$word) {
    if (-not $word) { return '""' }
    $word = $word -replace '(\\*)"', '$1$1\"'
    # Ahead of the quote that PowerShell puts at the end, later ones double them themselves.
    if ($word -match '\s' -and $PSVersionTable.PSVersion.Major -lt 6) { $word -replace '(\\+)$', '$1$1' } else { $word }
}

# Runs it with these words; fails for other exit codes than those that say success, with or without a restart.
function Invoke-Choco([string[]]$words, [int[]]$good = @(0, 1641, 3010)) {
    $passed = $words
    # PowerShell passed on neither quotes in a word nor an empty word until 7.3.
    if ($PSVersionTable.PSVersion -lt [version]'7.3') { $passed = @($words | ForEach-Object { Protect-Word $_ }) }
    $said = (& $choco @passed 2>&1 | Out-String).Trim()
    $answer.rc = $LASTEXITCODE
    if ($LASTEXITCODE -notin $good) { throw "choco.exe $($words[0]) ended with exit code $LASTEXITCODE`: $said" }
    $said
}

# Rows of a table, each with its cells.
function Read-Table([string[]]$words) {
    foreach ($line in (Invoke-Choco ($words + '--limit-output')) -split '\r?\n') {
        if ($line.Contains('|')) { [pscustomobject]@{ cells = $line.Split('|') } }
    }
}

$choco = Find-Choco
