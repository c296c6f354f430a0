# Makes the power plan $name, or that of the $guid, the active one.
$answer.changed = $false
$answer.power_plan_enabled = $null
$plans = foreach ($line in (& powercfg.exe /list 2>&1)) {
    if ("$line" -match '([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\s+\((.+)\)\s*(\*?)\s*$') { [pscustomobject]@{ guid = $Matches[1]; name = $Matches[2]; active = [bool]$Matches[3] } }
}
if ($LASTEXITCODE) { throw "powercfg.exe /list ended with exit code $LASTEXITCODE" }
$plan = @($plans | Where-Object { $(if ($guid) { $_.guid -eq $guid } else { $_.name -eq $name }) })[0]
if (-not $plan) { throw "Defined power_plan: ($(if ($guid) { $guid } else { $name })) is not available. It has: $(@($plans | ForEach-Object { $_.name }) -join ', ')" }
$answer.all_available_plans = @{}
foreach ($each in $plans) { $answer.all_available_plans[$each.name] = $each.guid -eq $plan.guid }
$answer.power_plan_enabled = $plan.active
if ($plan.active) { return }
Differs 'power_plan' "$(@($plans | Where-Object { $_.active } | ForEach-Object { $_.name })[0])" $plan.name
Change {
    & powercfg.exe /setactive $plan.guid
    if ($LASTEXITCODE) { throw "powercfg.exe /setactive ended with exit code $LASTEXITCODE" }
}
$answer.power_plan_enabled = $true
