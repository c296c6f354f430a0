# Sets the host's time zone to $wanted, a name that tzutil.exe knows; _dstoff behind it turns daylight saving time off.
function Invoke-Tzutil([string[]]$words) {
    $said = (& tzutil.exe @words 2>&1 | Out-String).Trim()
    if ($LASTEXITCODE) { throw "tzutil.exe $words ended with exit code ${LASTEXITCODE}: $said" }
    $said
}

$answer.changed = $false
$now = Invoke-Tzutil '/g'
$answer.previous_timezone = $answer.timezone = $now
if ($now -eq $wanted) { return }
# Each zone is two lines: its description, and its name.
if ((Invoke-Tzutil '/l') -split '\r?\n' -notcontains ($wanted -replace '_dstoff$')) { throw "The specified timezone: $wanted isn't supported on the machine." }
Differs 'timezone' $now $wanted
Change { $null = Invoke-Tzutil '/s', $wanted }
$answer.timezone = $wanted
