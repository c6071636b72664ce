using System;

namespace ArrSession.Compatibility
{
    // The types that code written against ARRServiceUnity uses, under their original names.

    public enum RenderingSessionVmSize { None, Standard, Premium }

    public enum RenderingSessionStatus { Unknown, Starting, Ready, Stopped, Expired, Error }

    public enum Result { Success, Fail }

    /// <summary>Account and service. Set the key or one of the tokens.</summary>
    public struct SessionConfiguration
    {
        /// <summary>Where the account was created.</summary>
        public string AccountDomain;

        /// <summary>Where sessions run. Empty: where the account was created.</summary>
        public string RemoteRenderingDomain;

        /// <summary>The account's id, a GUID.</summary>
        public string AccountId;

        /// <summary>The account's key. In the Editor only, unless it is the emulator's public key.</summary>
        public string AccountKey;

        /// <summary>A Microsoft Entra ID token.</summary>
        public string AuthenticationToken;

        /// <summary>An access token issued by the token service of the session service.</summary>
        public string AccessToken;

        public SessionConfiguration(string accountDomain, string remoteRenderingDomain, string accountId, string accountKey)
        {
            AccountDomain = accountDomain;
            RemoteRenderingDomain = remoteRenderingDomain;
            AccountId = accountId;
            AccountKey = accountKey;
            AuthenticationToken = null;
            AccessToken = null;
        }
    }

    public struct RenderingSessionCreationOptions
    {
        public RenderingSessionVmSize Size;
        public TimeSpan MaxLease;

        public RenderingSessionCreationOptions(RenderingSessionVmSize size, int maxLeaseHours, int maxLeaseMinutes)
        {
            Size = size;
            // Not TimeSpan's constructor for hours and minutes: any number of either counts in full.
            MaxLease = TimeSpan.FromMinutes(maxLeaseHours * 60.0 + maxLeaseMinutes);
        }
    }

    public struct RenderingSessionUpdateOptions
    {
        /// <summary>The total lease, not an increment.</summary>
        public TimeSpan MaxLease;

        public RenderingSessionUpdateOptions(int maxLeaseHours, int maxLeaseMinutes)
        {
            MaxLease = TimeSpan.FromMinutes(maxLeaseHours * 60.0 + maxLeaseMinutes);
        }
    }

    public struct RenderingSessionProperties
    {
        public RenderingSessionStatus Status;
        public RenderingSessionVmSize Size;
        public string Id;
        public string Hostname;
        public string Message;
        public int ElapsedTimeInMinutes;
        public int MaxLeaseInMinutes;
        public int HandshakePort;
        public int ArrInspectorPort;
    }

    /// <summary>The outcome of a request.</summary>
    public struct SessionGeneralContext
    {
        public Result Result;
        public uint HttpResponseCode;
        public string ErrorMessage;
        public string ResponseCorrelationVector;
    }

    public class SessionContextResult
    {
        public Result ErrorCode { get { return Context.Result; } }
        public SessionGeneralContext Context { get; internal set; }
    }

    public sealed class RenderingSessionPropertiesResult : SessionContextResult
    {
        public RenderingSessionProperties SessionProperties { get; internal set; }
    }

    public sealed class RenderingSessionPropertiesArrayResult : SessionContextResult
    {
        public RenderingSessionProperties[] SessionProperties { get; internal set; }
    }
}
