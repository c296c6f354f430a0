# Tells of the services whose names match $name.
$found = @(Get-Service -ErrorAction SilentlyContinue) | Where-Object { -not $name -or $_.ServiceName -like $name -or $_.DisplayName -like $name }
$answer.services = @($found | ForEach-Object {
    $config = Read-Config $_.ServiceName
    @{
        name = $_.ServiceName; display_name = $config.display_name; description = $config.description; path = $config.path
        start_mode = $config.start_mode; username = $config.username; state = State-Of $_; dependencies = $config.dependencies
        depended_by = @($_.DependentServices | ForEach-Object { $_.ServiceName }); service_type = "$($_.ServiceType)"
        desktop_interact = $config.desktop_interact
    }
})
$answer.exists = $answer.services.Count -gt 0
