# Sets $key in the $section of the host's security settings to $value.
$answer.changed = $false

# A text may stand in quotes in one place and without them in the other.
function Plain([string]$text) { $text -replace '^"(.*)"$', '$1' }

Use-Directory {
    $policy = Read-Policy @()
    $keys = $policy[$section]
    if ($null -eq $keys) { throw "The section '$section' isn't one of this host's security settings: $(@($policy.Keys | Sort-Object) -join ', ')" }
    $now = $keys[$key]
    if ($null -ne $now -and (Plain $now) -ceq (Plain $value)) { return }
    if ($diff) { Differs $key $now $value }
    Change {
        $line = if ("$now".StartsWith('"')) { '"' + (Plain $value) + '"' } else { $value }
        $answer.import_log = "$(Write-Policy $section $key $line @())"
        $new = (Read-Policy @())[$section][$key]
        if ($null -eq $new -or (Plain $new) -cne (Plain $value)) { throw "secedit.exe didn't set '$key' to '$value', which is no setting of [$section] or no value for it: $($answer.import_log)" }
    }
}
