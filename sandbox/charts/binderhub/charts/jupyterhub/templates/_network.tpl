{{- /* Egress rules of a NetworkPolicy. Takes (list $ <networkPolicy values>). */ -}}
{{- define "jupyterhub.egress" -}}
{{- $metadata := printf "%s/32" (index . 0).Values.singleuser.cloudMetadata.ip -}}
{{- $private := list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" -}}
{{- $allow := (index . 1).egressAllowRules -}}
{{- $dns := list -}}
{{- if $allow.dnsPortsCloudMetadataServer }}{{ $dns = append $dns (dict "ipBlock" (dict "cidr" $metadata)) }}{{ end -}}
{{- if $allow.dnsPortsKubeSystemNamespace -}}
{{- $dns = append $dns (dict "namespaceSelector" (dict "matchLabels" (dict "kubernetes.io/metadata.name" "kube-system"))) -}}
{{- end -}}
{{- if $allow.dnsPortsPrivateIPs }}{{ range $private }}{{ $dns = append $dns (dict "ipBlock" (dict "cidr" .)) }}{{ end }}{{ end -}}
{{- $rules := list -}}
{{- if $dns -}}
{{- $rules = append $rules (dict "to" $dns "ports" (list (dict "port" 53 "protocol" "UDP") (dict "port" 53 "protocol" "TCP"))) -}}
{{- end -}}
{{- if $allow.nonPrivateIPs -}}
{{- $rules = append $rules (dict "to" (list (dict "ipBlock" (dict "cidr" "0.0.0.0/0" "except" (append $private $metadata))))) -}}
{{- end -}}
{{- if $allow.privateIPs -}}
{{- $blocks := list }}{{ range $private }}{{ $blocks = append $blocks (dict "ipBlock" (dict "cidr" .)) }}{{ end -}}
{{- $rules = append $rules (dict "to" $blocks) -}}
{{- end -}}
{{- if $allow.cloudMetadataServer }}{{ $rules = append $rules (dict "to" (list (dict "ipBlock" (dict "cidr" $metadata)))) }}{{ end -}}
{{- concat $rules (index . 1).egress | toYaml -}}
{{- end }}

{{- /* A NetworkPolicy for one component.
       Takes (dict "root" $ "name" … "component" … "policy" … "from" (port → access label) "to" (list of (component ports))). */ -}}
{{- define "jupyterhub.network-policy" -}}
{{- $ := .root -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ .name }}
  labels:
    {{- include "jupyterhub.all-labels" (list $ .labelled) | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "jupyterhub.selector" (list $ .component) | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- with .policy.allowedIngressPorts }}
    - ports:
        {{- range . }}
        - port: {{ . }}
        {{- end }}
    {{- end }}
    {{- range $port, $label := .from }}
    - ports:
        - port: {{ $port }}
      from:
        - podSelector:
            matchLabels:
              {{ $label }}: "true"
    {{- end }}
    {{- with .policy.ingress }}
    {{- . | toYaml | nindent 4 }}
    {{- end }}
  egress:
    {{- range .to }}
    - to:
        - podSelector:
            matchLabels:
              {{- include "jupyterhub.selector" (list $ (first .)) | nindent 14 }}
      ports:
        {{- range rest . }}
        - port: {{ . }}
        {{- end }}
    {{- end }}
    {{- include "jupyterhub.egress" (list $ .policy) | nindent 4 }}
{{- end }}

{{- /* A PodDisruptionBudget, or nothing. Takes (dict "root" $ "name" … "component" … "budget" <values>). */ -}}
{{- define "jupyterhub.budget" -}}
{{- if .budget.enabled -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  labels:
    {{- include "jupyterhub.all-labels" (list .root .component) | nindent 4 }}
spec:
  {{- if not (kindIs "invalid" .budget.maxUnavailable) }}
  maxUnavailable: {{ .budget.maxUnavailable }}
  {{- end }}
  {{- if not (kindIs "invalid" .budget.minAvailable) }}
  minAvailable: {{ .budget.minAvailable }}
  {{- end }}
  selector:
    matchLabels:
      {{- include "jupyterhub.selector" (list .root .component) | nindent 6 }}
{{- end -}}
{{- end }}

{{- /* A ServiceAccount, or nothing. Takes (dict "root" $ "name" <default> "component" … "account" <values>). */ -}}
{{- define "jupyterhub.service-account" -}}
{{- if .account.create -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .account.name | default .name }}
  labels:
    {{- include "jupyterhub.all-labels" (list .root .component) | nindent 4 }}
  {{- with .account.annotations }}
  annotations: {{ . | toJson }}
  {{- end }}
{{- end -}}
{{- end }}
