# Runs $script with $parameters, { name, json } or { name, secret, user }; $Ansible in it may set the result.
function Plain($value, [int]$left) {
    if ($null -eq $value -or $value -is [string] -or $value -is [bool] -or $value -is [char] -or $value.GetType().IsPrimitive -or $value -is [decimal]) { return $value }
    if ($value -is [DateTime] -or $value -is [DateTimeOffset]) { return $value.ToUniversalTime().ToString('o') }
    if ($value -is [enum] -or $value -is [guid] -or $value -is [Uri] -or $value -is [Version] -or $value -is [type]) { return "$value" }
    if ($left -lt 0) { return "$value" }
    if ($value -is [Collections.IDictionary]) {
        $found = @{}
        foreach ($key in $value.Keys) { $found["$key"] = Plain $value[$key] ($left - 1) }
        return $found
    }
    if ($value -is [Collections.IEnumerable]) { return , @($value | ForEach-Object { , (Plain $_ ($left - 1)) }) }
    $found = @{}
    foreach ($property in $value.PSObject.Properties) {
        $found[$property.Name] = try { Plain $property.Value ($left - 1) } catch { $null }
    }
    $found
}

function Json($value) { ConvertTo-Json -InputObject (Plain $value $depth) -Compress -Depth 99 }

function Told($record) {
    @{
        output = "$record"; exception = @{ message = $record.Exception.Message; type = $record.Exception.GetType().FullName }
        fully_qualified_error_id = $record.FullyQualifiedErrorId; script_stack_trace = $record.ScriptStackTrace
        category_info = @{ category = "$($record.CategoryInfo.Category)"; activity = $record.CategoryInfo.Activity; reason = $record.CategoryInfo.Reason }
        target_object = "$($record.TargetObject)"; error_details = "$($record.ErrorDetails)"; pipeline_iteration_info = @()
    }
}

function Value-Of($row) {
    if ($row.ContainsKey('json')) { return ConvertFrom-Json -InputObject "[$($row.json)]" | ForEach-Object { , $_ } }
    $secret = [Security.SecureString]::new()
    foreach ($letter in $row.secret.ToCharArray()) { $secret.AppendChar($letter) }
    if ($row.user) { return [Management.Automation.PSCredential]::new($row.user, $secret) }
    $secret
}

$answer.changed = $false
if ($creates -and (Test-Path -Path $creates)) { $answer.not_run = "skipped, since $creates exists"; return }
if ($removes -and -not (Test-Path -Path $removes)) { $answer.not_run = "skipped, since $removes does not exist"; return }
$block = [scriptblock]::Create($script)
$careful = $block.Ast.ParamBlock -and @($block.Ast.ParamBlock.Attributes | Where-Object { "$_" -match 'SupportsShouldProcess' }).Count
if ($check -and -not $careful) { $answer.changed = $true; $answer.unsupported = $true; return }
$given = @{}
foreach ($row in $parameters) { $given[$row.name] = Value-Of $row }
if ($check) { $given['WhatIf'] = $true }
$tmp = $null
$Ansible = [pscustomobject]@{ Changed = $true; CheckMode = [bool]$check; Diff = @{}; Failed = $false; Result = $null; Tmpdir = [IO.Path]::GetTempPath(); Verbosity = 0 }
foreach ($each in 'output', 'error', 'warning', 'verbose', 'debug', 'information') { $answer[$each] = @() }
$hostOut = [Text.StringBuilder]::new()
if ($chdir) { Push-Location -LiteralPath $chdir }
try {
    # $ErrorActionPreference of here would be the script's own.
    $ErrorActionPreference = $error_action
    & $block @given *>&1 | ForEach-Object {
        if ($_ -is [Management.Automation.ErrorRecord]) { $answer.error += Told $_ }
        elseif ($_ -is [Management.Automation.WarningRecord]) { $answer.warning += $_.Message }
        elseif ($_ -is [Management.Automation.VerboseRecord]) { $answer.verbose += $_.Message }
        elseif ($_ -is [Management.Automation.DebugRecord]) { $answer.debug += $_.Message }
        elseif ($_ -is [Management.Automation.InformationRecord]) {
            $answer.information += @{ message_data = "$($_.MessageData)"; source = $_.Source; tags = @($_.Tags) }
            if ($_.Tags -contains 'PSHOST') { $null = $hostOut.AppendLine("$($_.MessageData)") }
        }
        else { $answer.output += Json $_ }
    }
}
catch {
    $answer.error += Told $_
    $answer.script_failed = $true
    $answer.said = $_.Exception.Message
}
finally {
    $ErrorActionPreference = 'Stop'
    if ($chdir) { Pop-Location }
}
$answer.host_out, $answer.host_err = "$hostOut", ''
$answer.result = Json $Ansible.Result
$answer.changed = [bool]$Ansible.Changed
if ($Ansible.Failed) { $answer.script_failed = $true }
