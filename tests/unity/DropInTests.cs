// The drop-in for code written against ARRServiceUnity, used as such code uses it.

using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using ArrSession;
using ArrSession.Compatibility;
using StandIn;
using UnityEngine;

static class DropInTests
{
    public static void ASessionIsStartedFoundAndStopped()
    {
        ARRServiceUnity service = Service();
        List<string> reported = new List<string>();
        service.OnSessionStatusChanged += delegate(ARRServiceUnity caller, ArrSession.Compatibility.RenderingSession session)
        {
            Check.That(ReferenceEquals(caller, service), "the caller");
            reported.Add(session == null ? "ended " + caller.LastProperties.Status : caller.LastProperties.Status.ToString());
        };
        Check.That(service.CurrentActiveSession == null && service.Client != null, "before");

        RenderingSessionProperties joined =
            Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Premium, 0, 30)));
        Check.Equal(RenderingSessionStatus.Ready, joined.Status, "the status");
        Check.Equal(RenderingSessionVmSize.Premium, joined.Size, "the size");
        Check.Equal(30, joined.MaxLeaseInMinutes, "the lease");
        string id = service.CurrentActiveSession.SessionUuid;
        Check.Equal(id, joined.Id, "the id");
        Check.That(service.ExpirationTime > DateTime.UtcNow.AddMinutes(29), "when it ends: " + service.ExpirationTime);

        RenderingSessionPropertiesArrayResult all = Stage.Await(service.Client.GetCurrentRenderingSessionsAsync());
        Check.Equal(Result.Success, all.ErrorCode, "the list");
        Check.That(Array.Exists(all.SessionProperties, delegate(RenderingSessionProperties one) { return one.Id == id; }), "it is listed");
        RenderingSessionPropertiesResult read = Stage.Await(service.CurrentActiveSession.GetPropertiesAsync());
        Check.Equal(RenderingSessionStatus.Ready, read.SessionProperties.Status, "read");
        SessionContextResult renewed = Stage.Await(service.CurrentActiveSession.RenewAsync(new RenderingSessionUpdateOptions(1, 0)));
        Check.Equal(Result.Success, renewed.ErrorCode, "renewed");

        Stage.Await(service.StopSession());
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
        Check.That(service.CurrentActiveSession == null, "after");
        Check.Equal(id, service.LastProperties.Id, "the last properties");
        Check.Equal("Starting, Ready, ended Stopped", string.Join(", ", reported.ToArray()), "the reported statuses");
    }

    public static void AForgottenSessionCanBeOpened()
    {
        ARRServiceUnity service = Service();
        string id = Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10))).Id;
        service.ForgetSession();
        Check.That(service.CurrentActiveSession == null, "forgotten");
        Check.Equal("Ready", Emulator.StatusOf(id), "the service's status");
        RenderingSessionProperties opened = Stage.Await(service.OpenSession(id));
        Check.Equal(RenderingSessionStatus.Ready, opened.Status, "opened");
        Check.Equal(Result.Success, Stage.Await(service.CurrentActiveSession.StopAsync()).ErrorCode, "stopped by the session itself");
        Check.Equal("Stopped", Emulator.StatusOf(id), "the service's status");
    }

    public static void AnAbandonedStartDoesNotComeBack()
    {
        foreach (bool stop in new[] { true, false })
        {
            ARRServiceUnity service = Service();
            int before = Emulator.Running();
            Task<RenderingSessionProperties> given = service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10));
            if (stop) Stage.Await(service.StopSession());
            else service.ForgetSession();
            Task<RenderingSessionProperties> other = service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Premium, 0, 10));
            string id = Stage.Await(other).Id;
            Stage.Await(given);
            Check.Equal(RenderingSessionVmSize.Premium, service.LastProperties.Size, "it is the other one");
            Check.Equal(id, service.CurrentActiveSession.SessionUuid, "and stays it");
            Stage.Until(delegate { return Emulator.Running() == before + 1; }, "the abandoned session is stopped");
            PlayMode.Exit();
        }
    }

    public static void ADestroyedComponentStopsItsSession()
    {
        ARRServiceUnity service = Service();
        string id = Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10))).Id;
        UnityEngine.Object.DestroyImmediate(service.gameObject);
        Stage.Until(delegate { return Emulator.StatusOf(id) == "Stopped"; }, "it is stopped");
    }

    public static void ALeaseAboveTheCapIsKept()
    {
        ARRServiceUnity service = Service();
        service.AutoRenewLeaseCapMinutes = 20;
        RenderingSessionProperties joined =
            Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 30)));
        Check.Equal(RenderingSessionStatus.Ready, joined.Status, "the status");
        Check.Equal(30, joined.MaxLeaseInMinutes, "the lease");
    }

    public static void FailuresAreReportedAndNotThrown()
    {
        ARRServiceUnity service = Service();
        string reported = null;
        service.OnSessionErrorEncountered += delegate(ARRServiceUnity caller, SessionGeneralContext context) { reported = context.ErrorMessage; };
        RenderingSessionProperties opened = Stage.Await(service.OpenSession("8d5cb3a1-1c5d-4f0a-9f5e-0d0c3f6a2b11"));
        Check.Equal(RenderingSessionStatus.Error, opened.Status, "the status");
        Check.That(!string.IsNullOrEmpty(reported) && reported == opened.Message, "why: " + reported);
        RenderingSessionProperties next =
            Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10)));
        Check.Equal(RenderingSessionStatus.Ready, next.Status, "another one can be started");
    }

    public static void TheLeaseIsRenewedUpToTheCap()
    {
        ARRServiceUnity service = Service();
        service.AutoRenewLeaseCapMinutes = 20;
        Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10)));
        Emulator.AdvanceMinutes(6);
        Stage.Until(delegate { return service.LastProperties.MaxLeaseInMinutes == 20; }, "it is renewed");

        service.AutoRenewLease = false;
        service.AutoRenewLeaseCapMinutes = 60;
        Emulator.AdvanceMinutes(11);
        // The absence of an event takes time to observe: three polls.
        DateTime limit = DateTime.UtcNow.AddMilliseconds(150);
        while (DateTime.UtcNow < limit) Engine.Frame();
        RenderingSessionPropertiesResult read = Stage.Await(service.CurrentActiveSession.GetPropertiesAsync());
        Check.Equal(20, read.SessionProperties.MaxLeaseInMinutes, "switched off it is not");
    }

    public static void AutoStopSessionStopsAtTheEndOfPlayMode()
    {
        foreach (bool stop in new[] { true, false })
        {
            ARRServiceUnity service = Service();
            service.AutoStopSession = stop;
            string id = Stage.Await(service.StartSession(new RenderingSessionCreationOptions(RenderingSessionVmSize.Standard, 0, 10))).Id;
            PlayMode.Exit();
            Check.Equal(stop ? "Stopped" : "Ready", Emulator.StatusOf(id), "the service's status");
        }
    }

    public static void AKeyIsRefusedInABuild()
    {
        Engine.IsEditor = false;
        PlayMode.Enter();
        ARRServiceUnity service = new GameObject("Service").AddComponent<ARRServiceUnity>();
        SessionConfiguration configuration = new SessionConfiguration("westus2", "westus2", DevelopmentAccount.AccountId, "c2VjcmV0");
        InvalidOperationException refused =
            Check.Throws<InvalidOperationException>(delegate { service.Initialize(configuration); }, "a foreign key");
        Check.Contains("Use AuthenticationToken or AccessToken", refused.Message, "with the fix");
    }

    static ARRServiceUnity Service()
    {
        PlayMode.Enter();
        ARRServiceUnity service = new GameObject("Service").AddComponent<ARRServiceUnity>();
        service.CertificateAuthorities = Environment.GetEnvironmentVariable("ARR_CA_FILE");
        service.PollInterval = Stage.PollInterval;
        service.Initialize(new SessionConfiguration(Emulator.Url, Emulator.Url, DevelopmentAccount.AccountId, DevelopmentAccount.AccountKey));
        return service;
    }
}
