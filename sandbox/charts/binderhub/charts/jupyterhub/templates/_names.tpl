{{- /* Labels that select a component's pods. Takes (list $ "component"). */ -}}
{{- define "jupyterhub.selector" -}}
{{- $ := index . 0 -}}
component: {{ index . 1 }}
app: {{ $.Values.nameOverride | default $.Chart.Name }}
release: {{ $.Release.Name | quote }}
{{- end }}

{{- /* All labels of an object: the old names and the app.kubernetes.io ones. Takes (list $ "component"). */ -}}
{{- define "jupyterhub.all-labels" -}}
{{- $ := index . 0 -}}
{{ include "jupyterhub.selector" . }}
chart: {{ $.Chart.Name }}-{{ $.Chart.Version | replace "+" "_" }}
heritage: {{ $.Release.Service }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/name: {{ $.Values.nameOverride | default $.Chart.Name }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
helm.sh/chart: {{ $.Chart.Name }}-{{ $.Chart.Version | replace "+" "_" }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
{{- end }}

{{- /* Labels of a pod. Takes (list $ "component"). */ -}}
{{- define "jupyterhub.pod-labels" -}}
{{- $ := index . 0 -}}
{{ include "jupyterhub.selector" . }}
app.kubernetes.io/component: {{ index . 1 }}
app.kubernetes.io/name: {{ $.Values.nameOverride | default $.Chart.Name }}
app.kubernetes.io/instance: {{ $.Release.Name | quote }}
{{- end }}

{{- /* "yes" where the autohttps pod ends TLS with a certificate of Let's Encrypt. */ -}}
{{- define "jupyterhub.autohttps" -}}
{{- with .Values.proxy.https }}{{ if and .enabled .hosts (eq (.type | default "") "letsencrypt") }}yes{{ end }}{{ end }}
{{- end }}

{{- /* An image pull secret list as JSON, or nothing. Takes (dict "root" $ "image" <image>); also used by the binderhub chart. */ -}}
{{- define "jupyterhub.imagePullSecrets" -}}
{{- $values := .root.Values -}}
{{- if ne .root.Chart.Name "jupyterhub" }}{{ $values = .root.Values.jupyterhub }}{{ end -}}
{{- $names := concat (.image.pullSecrets | default list) ($values.imagePullSecrets | default list) -}}
{{- if and $values.imagePullSecret.create $values.imagePullSecret.automaticReferenceInjection -}}
{{- $names = append $names "image-pull-secret" -}}
{{- end -}}
{{- $references := list -}}
{{- range $names | uniq }}{{ $references = append $references (kindIs "string" . | ternary (dict "name" .) .) }}{{ end -}}
{{- if $references }}{{ $references | toJson }}{{ end -}}
{{- end }}

{{- /* extraEnv, a list or a map, as a container's env entries; also used by the binderhub chart. */ -}}
{{- define "jupyterhub.extraEnv" -}}
{{- if kindIs "slice" . }}{{ . | toYaml }}
{{- else -}}
{{- $entries := list -}}
{{- range $name, $value := . -}}
{{- $entries = append $entries (kindIs "map" $value | ternary (merge (dict) (kindIs "map" $value | ternary $value dict) (dict "name" $name)) (dict "name" $name "value" ($value | toString))) -}}
{{- end -}}
{{ $entries | toYaml }}
{{- end -}}
{{- end }}

{{- /* extraFiles as entries of a Secret's stringData, then of its data; also used by the binderhub chart. */ -}}
{{- define "jupyterhub.extraFiles.stringData" -}}
{{- $texts := dict -}}
{{- range $name, $file := . -}}
{{- if $file.stringData }}{{ $_ := set $texts $name $file.stringData }}
{{- else if $file.data }}{{ $_ := set $texts $name (hasSuffix ".json" $name | ternary ($file.data | toJson) ($file.data | toYaml)) }}{{ end -}}
{{- end -}}
{{- if $texts }}{{ $texts | toYaml }}{{ end -}}
{{- end }}
{{- define "jupyterhub.extraFiles.data" -}}
{{- $blobs := dict -}}
{{- range $name, $file := . }}{{ if $file.binaryData }}{{ $_ := set $blobs $name $file.binaryData }}{{ end }}{{ end -}}
{{- if $blobs }}{{ $blobs | toYaml }}{{ end -}}
{{- end }}

{{- /* What a user's server asks for, as the placeholder pods copy it. */ -}}
{{- define "jupyterhub.singleuser.resources" -}}
{{- $requests := dict -}}{{- $limits := dict -}}
{{- with .Values.singleuser -}}
{{- if .cpu.guarantee }}{{ $_ := set $requests "cpu" .cpu.guarantee }}{{ end -}}
{{- if .memory.guarantee }}{{ $_ := set $requests "memory" .memory.guarantee }}{{ end -}}
{{- if .cpu.limit }}{{ $_ := set $limits "cpu" .cpu.limit }}{{ end -}}
{{- if .memory.limit }}{{ $_ := set $limits "memory" .memory.limit }}{{ end -}}
{{- $requests = merge $requests .extraResource.guarantees -}}{{- $limits = merge $limits .extraResource.limits -}}
{{- end -}}
{{- $all := dict -}}
{{- if $requests }}{{ $_ := set $all "requests" $requests }}{{ end -}}
{{- if $limits }}{{ $_ := set $all "limits" $limits }}{{ end -}}
{{- $all | toYaml -}}
{{- end }}

{{- /* Where a core pod runs. Takes (list $ <tolerations of its own> <nodeSelector>). */ -}}
{{- define "jupyterhub.core-placement" -}}
{{- $ := index . 0 -}}
{{- with index . 2 }}
nodeSelector: {{ . | toJson }}
{{- end }}
{{- with concat $.Values.scheduling.corePods.tolerations (index . 1) }}
tolerations: {{ . | toJson }}
{{- end }}
{{- include "jupyterhub.purpose" (list "core" $.Values.scheduling.corePods.nodeAffinity.matchNodePurpose) }}
{{- if $.Values.scheduling.podPriority.enabled }}
priorityClassName: {{ $.Release.Name }}-default-priority
{{- end }}
{{- end }}

{{- /* A wish for nodes with the label hub.jupyter.org/node-purpose. Takes (list "core"|"user" "ignore"|"prefer"|"require"). */ -}}
{{- define "jupyterhub.purpose" -}}
{{- $term := dict "matchExpressions" (list (dict "key" "hub.jupyter.org/node-purpose" "operator" "In" "values" (list (index . 0)))) -}}
{{- if eq (index . 1) "prefer" }}
affinity:
  nodeAffinity:
    preferredDuringSchedulingIgnoredDuringExecution: {{ list (dict "weight" 100 "preference" $term) | toJson }}
{{- else if eq (index . 1) "require" }}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: {{ list $term | toJson }}}
{{- end }}
{{- end }}

{{- /* An HTTP probe without its own `enabled` switch. Takes (list <probe> <path> <port>). */ -}}
{{- define "jupyterhub.probe" -}}
{{- merge (dict "httpGet" (dict "path" (index . 1) "port" (index . 2))) (omit (index . 0) "enabled") | toYaml -}}
{{- end }}

{{- /* IP families of the proxy's Services, indented for a spec. */ -}}
{{- define "jupyterhub.ip-families" }}
{{- with .Values.proxy.service.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
{{- end }}
{{- with .Values.proxy.service.ipFamilies }}
  ipFamilies: {{ . | toJson }}
{{- end }}
{{- end }}
