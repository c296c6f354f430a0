# What scripts of IIS share. Its settings are reached by filters of applicationHost.config.
try { Import-Module WebAdministration } catch { throw "IIS can't be managed on this host: $($_.Exception.Message). win_feature installs Web-Server with Web-Scripting-Tools" }

$host_config = 'MACHINE/WEBROOT/APPHOST'

# Names of sites, pools and paths in a filter.
function In-Filter([string]$text) { if ($text.Contains("'")) { throw "Names in IIS can't have a quote: $text" }; "'$text'" }

function Site-Filter([string]$site) { "/system.applicationHost/sites/site[@name=$(In-Filter $site)]" }

# An application, and a directory of it, by their names or paths; the site's own are /.
function Application-Filter([string]$site, [string]$application) { "$(Site-Filter $site)/application[@path=$(In-Filter "/$("$application".Trim('/', '\').Replace('\', '/'))")]" }

function Directory-Filter([string]$site, [string]$application, [string]$directory) { "$(Application-Filter $site $application)/virtualDirectory[@path=$(In-Filter "/$("$directory".Trim('/', '\').Replace('\', '/'))")]" }

function Pool-Filter([string]$pool) { "/system.applicationHost/applicationPools/add[@name=$(In-Filter $pool)]" }

function Is-There([string]$filter) { $null -ne (Get-WebConfiguration -PSPath $host_config -Filter $filter) }

function Need-Site([string]$site) { if (-not (Is-There (Site-Filter $site))) { throw "Website '$site' was not found" } }

# A setting: some come as they are, others as the Value of an object.
function Read-Setting([string]$filter, [string]$setting) {
    $found = Get-WebConfigurationProperty -PSPath $host_config -Filter $filter -Name $setting
    if ($null -ne $found -and $found.PSObject.Properties['Value']) { $found.Value } else { $found }
}

function Same-Setting([string]$setting, [string]$one, [string]$other) {
    if ($setting -like '*password') { return $one -ceq $other }
    if ($setting -like '*path') { $one, $other = $one.TrimEnd('\'), $other.TrimEnd('\') }
    $one -eq $other
}

# Sets it, if it is given and another one. The name may lead below: processModel.identityType.
function Set-Setting([string]$filter, [string]$setting, $value) {
    if ($null -eq $value) { return }
    $parts = $setting.Split('.')
    $below = (@($filter) + @($parts | Select-Object -First ($parts.Count - 1))) -join '/'
    $now = Read-Setting $below $parts[-1]
    if (Same-Setting $setting "$now" "$value") { return }
    if ($setting -like '*password') { Differs $setting 'OLD_PASSWORD' 'NEW_PASSWORD' } else { Differs $setting "$now" "$value" }
    Change { Set-WebConfigurationProperty -PSPath $host_config -Filter $below -Name $parts[-1] -Value $value }
}

function Need-Directory([string]$path) {
    if (-not (Test-Path -LiteralPath ([Environment]::ExpandEnvironmentVariables($path)) -PathType Container)) { throw "Path '$path' does not exist" }
}

# Who reaches the files of a directory: the user of the request, or $username.
function Set-Login([string]$filter) {
    if ($connect_as -eq 'pass_through') { $wanted = '', '' }
    elseif ($connect_as -eq 'specific_user') { $wanted = $username, $password }
    else { return }
    Set-Setting $filter 'userName' $wanted[0]
    Set-Setting $filter 'password' $wanted[1]
}

function Say-Exists([bool]$before, [bool]$after) { Differs 'state' $(if ($before) { 'present' } else { 'absent' }) $(if ($after) { 'present' } else { 'absent' }) }
