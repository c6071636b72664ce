using System;
using UnityEditor;
using UnityEngine;

namespace ArrSession.Unity.Editor
{
    /// <summary>The component's inspector: its fields, the session's state, and buttons.</summary>
    [CustomEditor(typeof(RemoteRenderingSession))]
    sealed class RemoteRenderingSessionEditor : UnityEditor.Editor
    {
        const float ExtendMinutes = 15;

        /// <summary>Keeps the remaining lease counting down.</summary>
        public override bool RequiresConstantRepaint()
        {
            RemoteRenderingSession shown = (RemoteRenderingSession)target;
            return shown.Session != null || shown.IsStarting;
        }

        /// <summary>Draws the inspector.</summary>
        public override void OnInspectorGUI()
        {
            DrawDefaultInspector();
            RemoteRenderingSession shown = (RemoteRenderingSession)target;
            EditorGUILayout.Space();
            DrawSettings(shown);
            DrawState(shown);
            DrawButtons(shown);
        }

        static void DrawSettings(RemoteRenderingSession shown)
        {
            if (shown.Settings == null)
            {
                EditorGUILayout.HelpBox("Assign Settings. Create them with Assets > Create > Remote Rendering > Settings.", MessageType.Warning);
                return;
            }
            bool beside = shown.GetComponent<TokenProviderBehaviour>() != null;
            string now = shown.Settings.FindProblem(false, beside);
            string inBuild = shown.Settings.FindProblem(true, beside);
            if (now != null) EditorGUILayout.HelpBox(now, MessageType.Warning);
            else if (inBuild != null) EditorGUILayout.HelpBox("A build will fail. " + inBuild, MessageType.Info);
        }

        static void DrawState(RemoteRenderingSession shown)
        {
            SessionSnapshot snapshot = shown.Snapshot;
            EditorGUILayout.LabelField("Status", shown.IsStarting && shown.Session == null ? "Requesting a session" : shown.Status.ToString());
            if (shown.Session != null)
            {
                EditorGUILayout.LabelField("Session", shown.Session.Id);
                EditorGUILayout.LabelField("Remaining lease", Clock(snapshot.Remaining) + " of " + Clock(snapshot.MaxLease));
                EditorGUILayout.LabelField("Ports", snapshot.HandshakePort + " (handshake), " + snapshot.ArrInspectorPort + " (ARR Inspector)");
                if (snapshot.Status == SessionStatus.Starting) EditorGUILayout.LabelField("Starting for", Clock(snapshot.StartingFor));
                EditorGUILayout.LabelField("Last read", Clock(snapshot.Age) + " ago" + (shown.ReadsAreFailing ? "; reads are failing" : ""));
            }
            if (shown.LastProblem != null) EditorGUILayout.HelpBox(shown.LastProblem, MessageType.Error);
        }

        static void DrawButtons(RemoteRenderingSession shown)
        {
            bool live = shown.Session != null;
            GUILayout.BeginHorizontal();
            using (new EditorGUI.DisabledScope(live || shown.IsStarting))
            {
                if (GUILayout.Button("Start")) shown.StartSession();
            }
            using (new EditorGUI.DisabledScope(!live && !shown.IsStarting))
            {
                if (GUILayout.Button("Stop")) shown.StopSession();
            }
            using (new EditorGUI.DisabledScope(!live))
            {
                if (GUILayout.Button("Extend by 15 min")) shown.ExtendLease(ExtendMinutes);
            }
            GUILayout.EndHorizontal();
        }

        static string Clock(TimeSpan time)
        {
            return ((int)time.TotalHours) + ":" + time.Minutes.ToString("00") + ":" + time.Seconds.ToString("00");
        }
    }
}
