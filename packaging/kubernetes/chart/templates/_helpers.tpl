{{- define "addressmap.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{- define "addressmap.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "addressmap.labels" -}}
{{ include "addressmap.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "addressmap.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ printf "%s@%s" .repository .digest }}
{{- else -}}
{{ printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "addressmap.hasZones" -}}
{{- if or .Values.zones.files .Values.zones.secrets }}yes{{ end -}}
{{- end -}}

{{- /* The text of the Corefile. The checksum of it is in the pod: another one is rolled out. */ -}}
{{- define "addressmap.corefile" -}}
{{- include "addressmap.check" . -}}
{{- $ports := .Values.ports -}}
{{- range $i, $server := .Values.servers }}
{{- range $server.zones }}{{ . }}:{{ $ports.dns }} {{ end }}{
    {{- with $.Values.hostNetwork.bind }}
    bind {{ join " " . }}
    {{- end }}
    errors
    {{- if eq $i 0 }}
    health :{{ $ports.health }} {
        lameduck 5s
    }
    {{- end }}
    ready :{{ $ports.ready }}
    prometheus :{{ $ports.metrics }}
    addressmap {{ $.Values.map.path }} {
        state /var/lib/addressmap/state
        {{- if include "addressmap.hasZones" $ }}
        zone_files /etc/addressmap/zones
        {{- end }}
        {{- with dig "options" "" $server }}
        {{- . | trim | nindent 8 }}
        {{- end }}
    }
    {{- with dig "plugins" "" $server }}
    {{- . | trim | nindent 4 }}
    {{- end }}
}
{{ end }}
{{- end -}}

{{- /* What the schema cannot say of two values at once. */ -}}
{{- define "addressmap.check" -}}
{{- $own := hasPrefix "/" .Values.map.path -}}
{{- if and $own (not .Values.map.documents) (not .Values.map.configMaps) -}}
{{- fail "map: there is no document: write map.documents, or map.configMaps with the name of a ConfigMap" -}}
{{- end -}}
{{- if and (not $own) (or .Values.map.documents .Values.map.configMaps) -}}
{{- fail "map.path: the map is in etcd: leave out map.documents and map.configMaps, which nobody would read" -}}
{{- end -}}
{{- if and (eq .Values.kind "DaemonSet") (eq .Values.state.volume "claim") -}}
{{- fail "state.volume: a DaemonSet has no claims: write emptyDir, or kind: StatefulSet" -}}
{{- end -}}
{{- if and .Values.hostNetwork.bind (not .Values.hostNetwork.enabled) -}}
{{- fail "hostNetwork.bind: a pod has no addresses of the node: write hostNetwork.enabled: true, or leave it out" -}}
{{- end -}}
{{- if and (lt (int .Values.ports.dns) 1024) (not .Values.hostNetwork.enabled) -}}
{{- fail "ports.dns: a pod needs no port below 1024: the Service has 53 in front of any other" -}}
{{- end -}}
{{- if and .Values.hostNetwork.enabled .Values.service.enabled (ne .Values.service.type "ClusterIP") -}}
{{- fail "service.type: with hostNetwork, clients come to the node: write ClusterIP, or service.enabled: false" -}}
{{- end -}}
{{- if and (eq .Values.dnsPolicy "ClusterFirst") .Values.hostNetwork.enabled -}}
{{- fail "dnsPolicy: with hostNetwork, Kubernetes takes ClusterFirst for Default: write ClusterFirstWithHostNet" -}}
{{- end -}}
{{- range $i, $server := .Values.servers -}}
{{- with regexFind `(?m)^\s*(state|zone_files)\b` (dig "options" "" $server) | trim -}}
{{- fail (printf "servers[%d].options: the chart writes %s itself: leave it out, and see state and zones of the values" $i .) -}}
{{- end -}}
{{- end -}}
{{- $volumes := list -}}
{{- range $i, $volume := .Values.extraVolumes -}}
{{- if has .name (list "corefile" "map" "zones" "state") -}}
{{- fail (printf "extraVolumes[%d].name: the chart has a volume %s itself: write another name" $i .name) -}}
{{- end -}}
{{- $volumes = append $volumes .name -}}
{{- end -}}
{{- range $i, $mount := .Values.extraVolumeMounts -}}
{{- if not (has .name $volumes) -}}
{{- fail (printf "extraVolumeMounts[%d].name: there is no %s in extraVolumes" $i .name) -}}
{{- end -}}
{{- end -}}
{{- $ports := list .Values.ports.dns .Values.ports.health .Values.ports.ready .Values.ports.metrics -}}
{{- if ne (len (uniq $ports)) 4 -}}
{{- fail "ports: two of them are one: dns, health, ready and metrics listen at different ports" -}}
{{- end -}}
{{- end -}}
