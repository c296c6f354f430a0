"""Names of Ansible that this version doesn't have, and what does the same until then.

A name that is known here is answered by name instead of "Did you mean …?", which would lead astray.
"""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Modules of which a line or two of another action do the usual work: name to those lines.
_INSTEAD = {
    "apache2_module": "command: a2enmod NAME",
    "composer": "command: composer install --working-dir=DIRECTORY",
    "docker_container": "command: docker run -d --name NAME IMAGE",
    "make": "command: make -C DIRECTORY TARGET",
    "openssl_privatekey": "command: openssl genrsa -out FILE 4096, with creates",
    "powershell": "win_shell: SCRIPT",
    "psexec": "hosts are reached by winrm here",
    "snap": "command: snap install NAME",
    "subversion": "command: svn checkout REPO DEST",
    # Windows.
    "win_domain_membership": "win_shell: Add-Computer -DomainName NAME",
    "win_find": "win_shell: (Get-ChildItem -Recurse PATH).FullName, and register",
    "win_msi": "win_command: msiexec /i PATH /qn",
    "win_scheduled_task": "win_shell: Register-ScheduledTask …",
    "win_updates": "win_shell, with a script that uses Microsoft.Update.Session",
}

#: Other modules of ansible-core and of the collections in everyday use.
_OTHERS = _words(
    """
    aix_inittab apt_rpm async_status aws_s3 bower bundler bzr capabilities
    consul cpanm dconf docker_compose docker_compose_v2
    docker_image docker_login docker_network docker_volume ec2_instance ejabberd_user elasticsearch_plugin
    facter filesystem_info flatpak gem git_config github_release haproxy helm homebrew ip_netns ipa_user
    ipify_facts jenkins_job jenkins_plugin jira k8s k8s_info kernel_blacklist keycloak_client ldap_attrs
    ldap_entry lxd_container mail maven_artifact monit mongodb_user mount_facts mssql_db
    mssql_script mysql_query mysql_replication nmcli ohai open_iscsi openbsd_pkg
    openssl_certificate openssl_csr openssl_dhparam openssl_pkcs12 opkg osx_defaults pamd
    patch pear pids pkgin pkgng pnpm portage portinstall
    proxysql_servers rabbitmq_plugin rabbitmq_user
    rabbitmq_vhost redhat_subscription redis rhsm_release rhsm_repository rhel_facts rpm_ostree
    runit s3_object selogin seport slack ssh_config sudoers supervisorctl svc svr4pkg
    swdepot telegram terraform vmware_guest x509_certificate xfs_quota yarn
    zfs zpool win_acl_inheritance win_audit_policy_system win_audit_rule win_auto_logon
    win_certificate_store win_chocolatey_facts
    win_computer_description win_credential win_data_deduplication win_defrag
    win_dhcp_lease win_disk_facts win_disk_image win_dns_record win_dns_zone win_domain win_domain_computer
    win_domain_controller win_domain_group win_domain_group_membership win_domain_object_info win_domain_ou
    win_domain_user win_dotnet_ngen win_eventlog win_eventlog_entry win_feature_info
    win_file_compression win_file_version win_format win_hosts win_hotfix win_http_proxy
    win_inet_proxy win_initialize_disk
    win_listen_ports_facts win_mapped_drive win_nssm win_pagefile win_partition win_pester win_powerplan
    win_product_facts win_psexec win_psrepository win_psscript win_rabbitmq_plugin win_rds_cap win_rds_rap
    win_rds_settings win_region win_regmerge win_robocopy win_route win_say win_scheduled_task_stat
    win_setup win_shortcut win_snmp win_tempfile win_toast win_user_profile
    win_wait_for_process win_wakeonlan win_webpicmd win_whoami win_xml
    """
)

#: What names of modules of one family begin with.
_FAMILIES = (
    *("aci_", "aws_", "azure_rm_", "bigip_", "digital_ocean_", "docker_", "ec2", "eos_", "gcp_", "gluster_"),
    *("grafana_", "iam_", "ios_", "junos_", "k8s_", "keycloak_", "mongodb_", "mysql_", "na_ontap_", "nxos_"),
    *("openssl_", "os_", "panos_", "postgresql_", "proxmox_", "rabbitmq_", "rds_", "route53_", "vmware_", "vyos_"),
    *("win_", "zabbix_"),
)
_COLLECTION = r"[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_.]*"

#: Lookups, filters and tests of ansible-core and of collections in everyday use.
_PLUGINS = {
    "lookup": _words(
        """
        hashi_vault onepassword random_string dig consul_kv
        credstash dnstxt etcd hiera keyring lastpass redis aws_secret aws_ssm ssm_parameter k8s
    """
    ),
    "filter": _words(
        """
        ipaddrs parse_cli parse_cli_textfsm parse_xml vlan_parser hashids_decode hashids_encode jc
        consolidate fact_diff to_xml from_xml
    """
    ),
    "test": _words(
        """
        a_module fqdn_valid
    """
    ),
}

#: Variables that Ansible's facts set, without their prefix. (Others, such as those of interfaces, are built of names.)
_FACTS = _words(
    """
    all_ipv4_addresses all_ipv6_addresses apparmor architecture bios_date bios_vendor bios_version
    board_name board_serial board_vendor chassis_serial chassis_vendor chassis_version cmdline date_time
    default_ipv4 default_ipv6 device_links devices distribution distribution_file_path
    distribution_file_variety distribution_major_version distribution_minor_version distribution_release
    distribution_version dns domain effective_group_id effective_user_id env facts fibre_channel_wwn fips
    form_factor fqdn hostname hostnqn interfaces is_chroot iscsi_iqn kernel kernel_version lastboot local
    locally_reachable_ips loadavg lsb lvm machine machine_id memfree_mb memory_mb memtotal_mb mounts
    netbios_name nodename os_family os_installation_type os_name os_product_type owner_contact owner_name
    pkg_mgr powershell_version proc_cmdline processor processor_cores processor_count processor_nproc
    processor_threads_per_core processor_vcpus product_name product_serial product_uuid product_version
    python python_version real_group_id real_user_id reboot_pending selinux selinux_python_present
    service_mgr services ssh_host_key_dsa_public ssh_host_key_ecdsa_public ssh_host_key_ed25519_public
    ssh_host_key_rsa_public swapfree_mb swaptotal_mb system system_capabilities system_capabilities_enforced
    system_description system_vendor totalmem_mb uptime_seconds user_dir user_gecos user_gid user_id
    user_shell user_uid userspace_architecture userspace_bits virtualization_role virtualization_tech_guest
    virtualization_tech_host virtualization_type win_rm_certificate_expires windows_domain
    windows_domain_member windows_domain_role packages
    """
)
#: Variables that Ansible sets itself, of a run or within a template.
_OF_ANSIBLE = _words(
    "ansible_run_tags ansible_skip_tags ansible_forks ansible_limit template_host template_path template_destpath"
)
_INTERFACE = r"(?:eth|ens|enp|eno|bond|br|docker|lo|wlan|bridge|virbr|vlan)[a-z0-9_]*\Z"


def module(name: str) -> str:
    """What to say about a module that Ansible, or a collection, has and this version doesn't; empty for other names."""
    bare = name.rpartition(".")[2]
    instead = _INSTEAD.get(bare)
    if instead is not None:
        return f"'{name}' is not there yet; until then: {instead}."
    return _absent(f"'{name}'") if bare in _OTHERS or re.fullmatch(_COLLECTION, name) else ""


def of_family(name: str) -> str:
    """The same for a name that begins like those of a family of modules; a typo of an action may begin so too."""
    return _absent(f"'{name}'") if name.startswith(_FAMILIES) else ""


def sets_variables(name: str) -> bool:
    """Whether a module of this name sets variables by itself, as far as its name says."""
    bare = name.rpartition(".")[2]
    return bare.endswith(("facts", "_info"))


#: Ways to reach hosts of ansible-core and of collections in everyday use, and strategies of ansible-core.
_CONNECTIONS = _words(
    """
    aws_ssm buildah chroot docker docker_api funcd grpc httpapi incus iocage jail kubectl libssh libvirt_lxc
    libvirt_qemu lxc lxd napalm netconf network_cli nsenter oc persistent podman podman_unshare
    proxmox_pct_remote proxmox_qemu_api psrp qubes saltstack vmware_tools wsl zone
    """
)
_STRATEGIES = frozenset({"host_pinned"})


def connection(name: str) -> bool:
    """Whether Ansible, or a collection, has a way to reach hosts of that name."""
    return name.rpartition(".")[2] in _CONNECTIONS


def strategy(name: str) -> bool:
    """Whether Ansible has a strategy of that name."""
    return name.rpartition(".")[2] in _STRATEGIES


def _absent(what: str) -> str:
    return f"{what} is not there yet."


def plugin(kind: str, name: str) -> str:
    """The same for a ``lookup``, ``filter`` or ``test``."""
    bare = name.rpartition(".")[2]
    if bare in _PLUGINS[kind] or re.fullmatch(_COLLECTION, name):
        return f"Ansible's {kind} '{name}' is not there yet."
    return ""


def fact(name: str) -> str:
    """What to say about a variable that gathering facts would set; empty for other names."""
    bare = name.removeprefix("ansible_")
    if bare == name or not (bare in _FACTS or re.match(_INTERFACE, bare)):
        return ""
    what = "holds facts" if bare == "facts" else "is a fact"
    return (
        f"'{name}' {what}, and nothing gathers facts before it is used. Let the play do it (gather_facts: true), or a "
        "task with 'setup'."
    )


def variable(name: str) -> str:
    """What to say about a variable that nothing defines, but that Ansible does; empty for other names."""
    return _absent(f"Ansible's '{name}'") if name in _OF_ANSIBLE else fact(name)


#: Connection variables of Ansible's, without their prefix: those that have no effect here among them.
_CONNECTION = _words(
    """
    async_dir become become_allow_same_user become_exe become_flags become_method become_pass become_password
    become_user collection_name common_remote_group connection control_path control_path_dir distribution_file
    group_priority host host_key_checking httpapi_port key_file local_tmp network_os network_cli_ssh_type
    password pipelining port private_key private_key_file python_interpreter remote_addr remote_port remote_tmp
    remote_user root_group scp_executable scp_extra_args scp_if_ssh search_path sftp_batch_mode sftp_executable
    sftp_extra_args shell_executable shell_type shell_allow_world_readable_temp ssh_args ssh_common_args
    ssh_control_path ssh_control_path_dir ssh_executable ssh_extra_args ssh_host ssh_host_key_checking ssh_pass
    ssh_password ssh_pipelining ssh_port ssh_private_key ssh_private_key_file ssh_retries ssh_timeout
    ssh_transfer_method ssh_use_tty ssh_user ssh_agent sshpass_prompt su su_pass su_user sudo sudo_exe
    sudo_flags sudo_pass sudo_user system_tmpdirs terminal_stderr_re timeout user winrm_connection_timeout
    winrm_kinit_args winrm_kinit_cmd winrm_kerberos_mode winrm_kinit_env_vars winrm_realm
    """
)
#: What names of variables of other ways to reach hosts begin with.
_OTHER_WAYS = (
    *("aws_", "command_timeout", "connect_", "docker_", "facts_", "httpapi_", "incus_", "jump", "kubectl_", "libssh_"),
    *("lxc_", "lxd_", "netconf_", "network_", "paramiko_", "persistent_", "podman_", "psrp_", "ssm_", "vmware_"),
)


def is_connection_variable(bare: str) -> bool:
    """Whether Ansible has a connection variable of that name, without its prefix."""
    return bare in _CONNECTION or bare.startswith(_OTHER_WAYS) or bare.endswith("_interpreter")
